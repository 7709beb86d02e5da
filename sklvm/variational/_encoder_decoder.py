"""What an encoder and its decoder are good for once trained: posteriors and scores."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklvm.diagnostics import collapsed_latents, some_rows
from sklvm.variational._autoencoding_model import AutoencodingModel, needs_density
from sklvm.variational._importance_weights import log_importance_weights

__all__ = ["EncoderDecoderModel"]


class EncoderDecoderModel(AutoencodingModel):
    """Base of the estimators that train a ``Decoder`` with an encoder.

    A subclass has an ``n_importance_samples`` parameter.
    """

    @property
    def score_normalized_(self):
        """Whether ``score_samples`` is about a log-density: not after "autoencoder"."""
        check_is_fitted(self)
        return self._fits_density()

    @property
    def score_is_bound_(self):
        """Whether ``score_samples`` is a lower bound of a log-density, here in expectation."""
        check_is_fitted(self)
        return self._fits_density()

    # -- latent variables -------------------------------------------------------------------------

    @available_if(needs_density)
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
        """Posterior means μ(x); after an "autoencoder" objective the code f(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            The means.
        """
        check_is_fitted(self)
        encoder, phi = self._encoder_and_parameters()
        return self._by_rows(lambda energy, theta, X: encoder.encode(phi, X).mean, X)

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

    def _diagnoses(self, monitor, X, weights):
        found = super()._diagnoses(monitor, X, weights)
        if found and self._fits_density():
            rows = some_rows(X)
            if not np.isnan(rows).any():
                encoder, phi = self._encoder_and_parameters()
                found["collapsed_latents"] = collapsed_latents(encoder.encode(phi, rows).mean)
        return found

    def _encode(self, X):
        check_is_fitted(self)
        X = self._check_X(X)
        encoder, phi = self._encoder_and_parameters()
        return encoder.encode(phi, X)

    def _encoder_and_parameters(self):
        training = self._training
        return training.objective.encoder(training.energy), training.parameters.own_part("encoder_")

    # -- density ----------------------------------------------------------------------------------

    def score_samples(self, X):
        """Importance-weighted estimate of log p(x), in nats.

        ::

            log (1/S) Σ_s p(x, z_s)/q(z_s|x),   z_s = μ(x) + L(x)ε_s,

        with S = ``n_importance_samples`` standard-normal ε_s that are the same for every row and
        every call. It is a lower bound of log p(x) in expectation over the ε_s, the tighter the
        larger S, and nowhere below ``elbo``. For comparisons of models S has to be large, or their
        posteriors good. Of a row with missing entries it is the log-density of the others.

        After an "autoencoder" objective there is no density, and this is minus the loss of the row,
        −log p(x|f(x)) + ‖f(x)‖²/(2τ²) + …

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.
        """
        check_is_fitted(self)
        if not self._fits_density():
            training = self._training
            return self._by_rows(
                lambda energy, theta, X: (
                    -training.objective.row_losses(energy, training.parameters, X)
                ),
                X,
            )
        return self._by_importance_weights(_log_of_mean, X)

    @available_if(needs_density)
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
        return self._by_importance_weights(lambda log_weights: log_weights.mean(axis=1), X)

    def _by_importance_weights(self, reduce, X):
        """A function of the log w_s of some rows, shape (n, S), of all rows of X."""
        check_is_fitted(self)
        encoder, phi = self._encoder_and_parameters()
        n_draws = self._fitted_params["n_importance_samples"]
        width = self._widest_layer()

        def of_rows(energy, theta, X):
            return reduce(log_importance_weights(energy, theta, encoder, phi, X, n_draws, width))

        return self._by_rows(of_rows, X, width=n_draws)


def _log_of_mean(log_weights):
    n_draws = log_weights.dtype.type(log_weights.shape[1])
    return logsumexp(log_weights, axis=1) - np.log(n_draws)
