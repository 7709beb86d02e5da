"""What a deep belief network is used for."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.validation import check_is_fitted

from sklvm.base import (
    LatentVariableModel,
    check_count,
    check_latent_rows,
    generator_from,
    map_row_blocks,
)
from sklvm.rows import as_dense

__all__ = ["BeliefModel"]


def _of_top(name, meaning):
    """A fitted attribute of the machine on top."""
    return property(lambda self: getattr(self.layers_[-1], name), doc=meaning)


class BeliefModel(LatentVariableModel):
    """Base of the estimator whose ``BeliefTraining`` has layers.

    A subclass has the parameters ``output_layer`` and ``n_importance_samples``.
    """

    # -- log Z of the machine on top --------------------------------------------------------------

    log_partition_ = _of_top("log_partition_", "log Z of the machine on top, in nats.")
    log_partition_std_err_ = _of_top("log_partition_std_err_", "Its standard error, in nats.")
    log_partition_effective_sample_size_ = _of_top(
        "log_partition_effective_sample_size_", "Of the annealing's weights."
    )
    log_partition_bracket_ = _of_top("log_partition_bracket_", "Stochastic bounds of log Z.")

    def estimate_log_partition(self, *, partition=None, random_state=None, verbose=None):
        """Estimate log Z of the machine on top, as ``BernoulliRBM.estimate_log_partition`` does.

        Parameters
        ----------
        partition : {"auto", "exact", "ais"} or AnnealedImportanceSampling, default=None
            How log Z is found. None: as the layer's ``partition`` says.
        random_state : int, RandomState instance or None, default=None
            Seed of annealing. None: a seed that depends on the fit's and its number of steps.
        verbose : int, default=None
            1 prints how annealing goes. None: as in the fit.

        Returns
        -------
        self : object
            With ``log_partition_`` and what goes with it.
        """
        check_is_fitted(self)
        self.layers_[-1].estimate_log_partition(
            partition=partition, random_state=random_state, verbose=verbose
        )
        return self

    # -- using the model --------------------------------------------------------------------------

    @property
    def score_is_bound_(self):
        """Whether ``score_samples`` is a lower bound in expectation: where it is not exact."""
        check_is_fitted(self)
        return not self._training.layers.is_exact

    @property
    def score_normalized_(self):
        """Whether ``score_samples`` is in nats: log Z of the machine on top is not left out."""
        check_is_fitted(self)
        return self.layers_[-1].score_normalized_

    @property
    def _n_features_out(self):
        sizes, layer = self._training.layers.sizes, self._output_layer()
        return sum(sizes) if layer == "all" else sizes[layer - 1]

    def transform(self, X):
        """Means of the hidden units of the layer ``output_layer``, by a pass upwards.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            Each layer's means given those of the one below it.
        """
        layer = self._output_layer()

        def means(layers, X):
            hidden = layers.means(X)
            return np.hstack(hidden) if layer == "all" else hidden[layer - 1]

        return self._by_rows(means, X)

    def inverse_transform(self, Z):
        """Means of the visible units, by a pass down from the layer ``output_layer``.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            States of the hidden units, or their probabilities; of all layers those of the first
            count.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Each layer's means given those of the one above it.

        Raises
        ------
        ValueError
            For another number of columns.
        """
        check_is_fitted(self)
        Z, layers = check_latent_rows(self, Z, self._n_features_out), self._training.layers
        layer = self._output_layer()
        if layer == "all":
            Z, layer = Z[:, : layers.sizes[0]], 1
        Z = Z.astype(layers.generative[0].dtype, copy=False)
        return map_row_blocks(
            lambda rows: layers.means_below(Z[rows], layer), len(Z), self._widest()
        )

    def sample(self, n_samples=1, *, n_steps=100, random_state=None):
        """Draw from the model: by chains of the machine on top, and from there down.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        n_steps : int, default=100
            Transitions of the machine on top at its own temperature, after annealing.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples)
        rng, layers = generator_from(random_state), self._training.layers
        seeds = [int(seed) for seed in rng.integers(2**31, size=2)]
        top = self.layers_[-1].sample(n_samples, n_steps=n_steps, random_state=seeds[0])
        return layers.draw_below(top, layers.n_layers - 1, seeds[1])

    def score_samples(self, X):
        """log p(x), in nats: exact where that is a short sum, else by importance sampling.

        Exact where all layers below the top have at most 16 units, and two that follow one another
        at most 20. Else it is log (1/S) Σ_s p(x, h_s)/q(h_s | x) with S = ``n_importance_samples``
        draws of the pass upwards, made of the same uniform numbers for every row and every call: a
        lower bound of log p(x) in expectation, and nowhere below ``bound``. The first call after a
        fit estimates log Z of the machine on top, within the budget of the layer's ``partition``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.

        Warns
        -----
        ConvergenceWarning
            Where the estimate of log Z is not to be trusted.
        """
        check_is_fitted(self)
        if self._training.layers.is_exact:
            return self._normalized(self._by_rows(lambda layers, X: layers.log_density(X), X))
        return self._normalized(self._by_weights(_log_of_mean, X))

    def bound(self, X):
        """E_q[log p(x, h) − log q(h | x)], a lower bound of log p(x), in nats.

        The mean over the draws of ``score_samples``. The difference to log p(x) is the divergence
        of q from the posterior: of greedy layers it hides most of what depth is worth.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
            The bound for each row.
        """
        return self._normalized(self._by_weights(lambda weights: weights.mean(axis=1), X))

    def _by_weights(self, reduce, X):
        check_is_fitted(self)
        n_draws = self._fitted_params["n_importance_samples"]
        return self._by_rows(lambda layers, X: reduce(layers.log_importance_weights(X, n_draws)), X)

    def _by_rows(self, function, X):
        check_is_fitted(self)
        X, layers = self._check_X(X), self._training.layers
        dtype = layers.generative[0].dtype
        return map_row_blocks(
            lambda rows: function(layers, as_dense(X[rows]).astype(dtype, copy=False)),
            X.shape[0],
            max(X.shape[1], self._widest()),
        )

    def _normalized(self, values):
        if not self.score_normalized_:
            return values
        log_partition = self.layers_[-1].estimate_log_partition().log_partition_
        return values - values.dtype.type(log_partition)

    def _output_layer(self):
        check_is_fitted(self)
        layer = self._fitted_params["output_layer"]
        return len(self.layers_) if layer == "last" else layer

    def _widest(self):
        return max(self._training.layers.sizes)


def _log_of_mean(log_weights):
    n_draws = log_weights.dtype.type(log_weights.shape[1])
    return logsumexp(log_weights, axis=1) - np.log(n_draws)
