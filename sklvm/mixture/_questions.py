"""What a fitted mixture is asked: components, densities, draws, gaps, criteria of choice."""

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklvm.base import check_count, check_latent_rows, generator_from, map_row_blocks
from sklvm.rows import as_dense, slices

__all__ = ["MixtureQuestions", "drawn_labels"]

# Rows with gaps that are completed at a time.
ROWS_AT_A_TIME = 1024


class MixtureQuestions:
    """For an estimator with a ``MixtureExpectation`` as ``_mixture`` and θ as ``_theta``."""

    # -- using the model --------------------------------------------------------------------------

    @property
    def _n_features_out(self):
        return len(self.weights_)

    def _by_rows(self, function, X):
        """A function of θ and rows, of all rows of X, some at a time."""
        check_is_fitted(self)
        return self._by_blocks(function, self._check_X(X))

    def _by_blocks(self, function, X):
        """The same of rows that are prepared."""
        width = max(X.shape[1], len(self.weights_))
        return map_row_blocks(lambda rows: function(self._theta, X[rows]), X.shape[0], width)

    def score_samples(self, X):
        """Log-density of each row, in nats; a log-probability where data are discrete.

        Exact. Of rows with missing entries (NaN) it is that of what is observed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            log Σ_k π_k p(x | k). Higher is more normal.
        """
        return self._by_rows(self._model_density, X)

    def _model_density(self, theta, X):
        return self._mixture.log_density(theta, X)

    def predict_proba(self, X):
        """Posterior probabilities of the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_components)
            p(k | x). Rows sum to 1.
        """
        return self._by_rows(self._mixture_posterior, X)

    def _mixture_posterior(self, theta, X):
        return self._mixture.posterior(theta, X)

    def transform(self, X):
        """Posterior probabilities of the components: the same as ``predict_proba``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(k | x).
        """
        return self.predict_proba(X)

    def predict(self, X):
        """The most probable component of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
        """
        return np.argmax(self.predict_proba(X), axis=1)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture to X, and name the most probable component of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the criterion.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def sample(self, n_samples=1, *, random_state=None):
        """Independent draws.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws, their components in random order.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        rng = generator_from(random_state)
        weights = np.exp(self._theta.log_weights)
        labels = rng.choice(len(weights), n_samples, p=weights / weights.sum())
        rows = self._mixture.components.sample(self._theta.components, labels, rng)
        return rows.astype(self._mixture.dtype, copy=False)

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries from the model's distribution given the observed ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, NaN where missing.
        method : {"mean", "draw"}, default="mean"
            "mean" fills in E[x_missing | x_observed], "draw" a draw from
            p(x_missing | x_observed). Both are exact.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The data without NaN; observed entries are as they were.
        """
        check_is_fitted(self)
        if method not in ("mean", "draw"):
            raise ValueError(f"method must be 'mean' or 'draw', got {method!r}.")
        X = as_dense(self._check_X(X)).copy()
        incomplete = np.flatnonzero(np.isnan(X).any(axis=1))
        rng = generator_from(random_state)
        components, theta = self._mixture.components, self._theta
        for part in slices(len(incomplete), ROWS_AT_A_TIME):
            rows = X[incomplete[part]]
            posterior = self._mixture.posterior(theta, rows)
            if method == "draw":
                labels = drawn_labels(posterior, rng)
                filled = components.drawn(theta.components, rows, labels, rng)
            else:
                filled = np.zeros(rows.shape)
                for k in range(posterior.shape[1]):
                    filled += posterior[:, [k]] * components.completed(theta.components, rows, k)
            X[incomplete[part]] = np.where(np.isnan(rows), filled, rows)
        return X

    def conditional_log_proba(self, X, free):
        """log p(x_free | x_others), in nats, exactly; entries that are missing are summed out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features)
            Whose distribution is asked for; the other entries are given.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,)
            A log-density for real data.

        Raises
        ------
        ValueError
            For a mask of another shape.
        """
        check_is_fitted(self)
        X, free = as_dense(self._check_X(X)), np.asarray(free)
        if free.dtype != np.bool_ or free.shape not in (X.shape, X.shape[1:]):
            raise ValueError(
                f"free must be a mask of shape {X.shape[1:]} or {X.shape}, got shape {free.shape} "
                f"and dtype {free.dtype}."
            )
        given = np.where(free, np.nan, X)
        return self._by_blocks(self._model_density, X) - self._by_blocks(self._model_density, given)

    @available_if(lambda self: self._has_means)
    def inverse_transform(self, Z):
        """Reconstruct: the mean of the components, at these probabilities.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Probabilities of the components.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Σ_k z_k E[x | k].
        """
        check_is_fitted(self)
        Z = check_latent_rows(self, Z, len(self.weights_))
        means = self._mixture.components.means(self._theta.components)
        return Z @ means.astype(Z.dtype)

    _has_means = True

    # -- model selection --------------------------------------------------------------------------

    def n_parameters(self):
        """Number of free parameters: those of the components, and K − 1 weights.

        Returns
        -------
        n_parameters : int
        """
        check_is_fitted(self)
        components = self._mixture.components
        return components.n_components - 1 + components.n_parameters(self.n_features_in_)

    def bic(self, X):
        """Bayesian information criterion, −2 log p(X) + n_parameters · log n_samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        bic : float
            Lower is better.
        """
        scores = self.score_samples(X).astype(np.float64)
        return float(-2 * scores.sum() + self.n_parameters() * np.log(len(scores)))

    def aic(self, X):
        """Akaike information criterion, −2 log p(X) + 2 · n_parameters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        aic : float
            Lower is better.
        """
        scores = self.score_samples(X).astype(np.float64)
        return float(-2 * scores.sum() + 2 * self.n_parameters())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def drawn_labels(posterior, rng):
    """A component for each row, drawn from its probabilities."""
    ends = posterior.cumsum(axis=1)
    labels = (ends < rng.random((len(posterior), 1)) * ends[:, -1:]).sum(axis=1)
    return np.minimum(labels, posterior.shape[1] - 1)
