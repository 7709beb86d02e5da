"""From latent variables to data."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklvm.base import TrainedModel, generator_from

__all__ = ["DecodingModel"]


class DecodingModel(TrainedModel):
    """Base of the estimators whose energy has E[x|z] and draws.

    The energy gives ``visible_mean(theta, Z)`` and ``sample(theta, n_samples, rng)``.
    """

    def inverse_transform(self, Z):
        """The decoder's means E[x|z].

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent variables.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The means; probabilities where x is binary.
        """
        check_is_fitted(self)
        training = self._training
        Z = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
        if Z.shape[1] != training.energy.n_components:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, and {type(self).__name__} has "
                f"{training.energy.n_components} components."
            )
        return training.energy.visible_mean(training.energy_theta, Z)

    def reconstruct(self, X):
        """``inverse_transform(transform(X))``; missing entries come back filled.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            What the decoder makes of the posterior means.
        """
        return self.inverse_transform(self.transform(X))

    def sample(self, n_samples=1, *, random_state=None):
        """Draw from the model: z from the prior, x from p(x|z).

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(f"n_samples must be an integer of at least 1, got {n_samples!r}.")
        training = self._training
        return training.energy.sample(
            training.energy_theta, n_samples, generator_from(random_state)
        )
