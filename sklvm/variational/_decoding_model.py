"""From latent variables to data."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm.base import (
    TrainedLatentVariableModel,
    check_count,
    check_latent_rows,
    generator_from,
)
from sklvm.rows import slices

__all__ = ["DecodingModel", "by_blocks"]

# Rows to be passed through a network at a time: its layers are wider than what is kept of them.
MAX_ROWS = 4096


class DecodingModel(TrainedLatentVariableModel):
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
        Z = check_latent_rows(self, Z, training.energy.n_components)
        return by_blocks(
            len(Z), lambda rows: training.energy.visible_mean(training.energy_theta, Z[rows])
        )

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
        check_count("n_samples", n_samples)
        training, rng = self._training, generator_from(random_state)
        return by_blocks(
            n_samples,
            lambda rows: training.energy.sample(training.energy_theta, rows.stop - rows.start, rng),
        )


def by_blocks(n_rows, function):
    """`function` of slices of rows, one after the other, its results put together."""
    return np.concatenate([function(rows) for rows in slices(n_rows, MAX_ROWS)])
