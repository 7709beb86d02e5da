"""What a trained encoder and decoder are good for: latent variables, reconstructions, scores."""

from numbers import Integral

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklvm.base import TrainedModel, generator_from
from sklvm.variational._importance_weights import log_importance_weights

__all__ = ["EncoderDecoderModel"]


class EncoderDecoderModel(TrainedModel):
    """Base of the estimators that train a ``Decoder`` by its ``EvidenceLowerBound``.

    A subclass has an ``n_importance_samples`` parameter.
    """

    # -- latent variables -------------------------------------------------------------------------

    def latent_posterior(self, X):
        """The Gaussian q(z|x) of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        mean : ndarray of shape (n_samples, n_components)
            μ(x).
        factor : ndarray of shape (n_samples, n_components, n_components)
            L(x), lower triangular: the covariance is LLᵀ.
        """
        encoding = self._encode(X)
        return encoding.mean.copy(), encoding.factor()

    def transform(self, X):
        """Posterior means μ(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            The means.
        """
        return self._encode(X).mean.copy()

    def inverse_transform(self, Z):
        """The decoder's means E[x|z].

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent variables.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The means; probabilities with the Bernoulli likelihood.
        """
        check_is_fitted(self)
        training = self._training
        Z = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
        if Z.shape[1] != training.energy.n_components:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, and {type(self).__name__} has "
                f"{training.energy.n_components} components."
            )
        return training.energy.mean_given(training.energy_theta, Z)

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

    def latent_traversal(self, x=None, *, components=None, values=None):
        """What the decoder makes of z as one latent variable after the other moves.

        Parameters
        ----------
        x : array-like of shape (n_features,), default=None
            Start at its posterior mean. None: at 0, the mean of the prior.
        components : sequence of int, default=None
            Which latent variables to move; None: all.
        values : array-like of shape (n_values,), default=None
            The values they take; None: −3, −2, …, 3.

        Returns
        -------
        traversal : ndarray of shape (n_traversed, n_values, n_features)
            Means E[x|z].
        """
        check_is_fitted(self)
        n_components = self._training.energy.n_components
        start = np.zeros((1, n_components), dtype=self._training.theta.dtype)
        if x is not None:
            start = self.transform(np.asarray(x)[np.newaxis])
        components = np.arange(n_components) if components is None else np.asarray(components)
        values = np.arange(-3, 4) if values is None else np.asarray(values)
        Z = np.tile(start, (len(components), len(values), 1))
        for row, component in zip(Z, components, strict=True):
            row[:, component] = values
        return self.inverse_transform(Z.reshape(-1, n_components)).reshape(*Z.shape[:2], -1)

    def _encode(self, X):
        check_is_fitted(self)
        X = self._check_X(X)
        return self._training.objective.encoder.encode(self._training.objective_theta, X)

    # -- density ----------------------------------------------------------------------------------

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

    def score_samples(self, X):
        """Importance-weighted estimate of log p(x), in nats.

        ::

            log (1/S) Σ_s p(x, z_s)/q(z_s|x),   z_s = μ(x) + L(x)ε_s,

        with S = ``n_importance_samples`` standard-normal ε_s that are the same for every row and
        every call. It is a lower bound of log p(x) in expectation over the ε_s, the tighter the
        larger S, and nowhere below ``elbo``. For comparisons of models S has to be large, or their
        posteriors good. Of a row with missing entries it is the log-density of the others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.
        """
        log_weights = self._log_importance_weights(X)
        n_draws = log_weights.dtype.type(log_weights.shape[1])
        return logsumexp(log_weights, axis=1) - np.log(n_draws)

    def elbo(self, X):
        """E_q[log p(x|z)] − KL(q(z|x) ‖ N(0, I)), a lower bound of log p(x), in nats.

        The mean of log p(x, z) − log q(z|x) over the draws of ``score_samples``. Its divergence has
        weight 1, whatever β is in training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        elbo : ndarray of shape (n_samples,)
            The bound for each row.
        """
        return self._log_importance_weights(X).mean(axis=1)

    def _log_importance_weights(self, X):
        check_is_fitted(self)
        X = self._check_X(X)
        training = self._training
        return log_importance_weights(
            training.energy,
            training.energy_theta,
            training.objective.encoder,
            training.objective_theta,
            X,
            self.n_importance_samples,
        )
