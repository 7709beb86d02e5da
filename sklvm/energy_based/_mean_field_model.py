"""What a model is used for whose hidden layers are inferred by mean field."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils.validation import check_is_fitted

from sklvm.base import check_count, check_latent_rows, map_row_blocks
from sklvm.energy_based._base import LatentEnergyBasedModel

__all__ = ["MeanFieldModel"]

# Up to so many terms a row, log p(x) is summed exactly by ``log_density``.
MAX_EXACT_TERMS = 2**16


class MeanFieldModel(LatentEnergyBasedModel):
    """Base of the estimators whose energy has layers of hidden units, and a bound.

    A subclass has an ``output_layer`` parameter.
    """

    @property
    def score_is_bound_(self):
        """Whether ``score_samples`` is a lower bound of log p(x): with two layers or more."""
        check_is_fitted(self)
        return self._training.energy.n_layers > 1

    def transform(self, X):
        """Mean-field means of the hidden units of the layer ``output_layer``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Missing entries (NaN) have means as well, and hidden units theirs given these.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            Approximations of p(h_k = 1 | x).
        """
        layer = self._output_layer()

        def means(energy, theta, X):
            _, *hidden = energy.fixed_points(theta, *self._filled(X))
            return np.hstack(hidden) if layer == "all" else hidden[layer - 1]

        return self._by_rows(means, X, width=self._n_hidden())

    def inverse_transform(self, Z):
        """Means of the visible units given the hidden ones of the layer ``output_layer``.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            States of the hidden units, or their probabilities.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            E[x | h¹] where h¹ is in Z; else E[x | z] by mean field over x and the layers between.

        Raises
        ------
        ValueError
            For another number of columns.
        """
        check_is_fitted(self)
        Z = check_latent_rows(self, Z, self._n_features_out)
        energy, theta, layer = self._training.energy, self._training.energy_theta, 1
        if self._output_layer() == "all":
            Z = Z[:, : energy.sizes[0]]
        else:
            layer = self._output_layer()
        return map_row_blocks(
            lambda rows: energy.means_below(theta, Z[rows], layer), len(Z), self._widest_layer()
        )

    def energy(self, X):
        """The variational free energy F(x) = E(x, μ) − H(μ) ≥ −log p̃(x), in nats.

        μ are the means of ``transform``, at the fixed point of mean field, and H is their entropy.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Of a row with missing entries (NaN) it is that of the observed ones.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            The energies; lower is more probable.
        """

        def bound(energy, theta, X):
            X, free = self._filled(X)
            return (
                energy.bound(theta, X)[0] if free is None else energy.clamped_bound(theta, X, free)
            )

        return self._by_rows(bound, X, width=self._n_hidden())

    def log_density(self, X, *, n_importance_samples=100):
        """log p(x), exactly where that is a short sum, else estimated by importance sampling.

        Exact where the odd layers have at most 16 units. Elsewhere draws of the even layers from
        the mean-field distribution, the same for every row and every call, have weights whose mean
        estimates p̃(x), the odd layers being summed out. The estimate of log p̃(x) is at most that
        in expectation, and at least the bound of ``score_samples``, in expectation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Complete data.
        n_importance_samples : int, default=100
            Draws for each row, where it is not exact.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats; not normalised with ``partition="none"``.

        Raises
        ------
        ValueError
            For missing entries.
        """
        check_is_fitted(self)
        check_count("n_importance_samples", n_importance_samples)
        X = self._check_X(X, ensure_all_finite=True)
        is_exact = self._training.energy.n_latent_terms <= MAX_EXACT_TERMS

        def log_p(energy, theta, X):
            if is_exact:
                return -energy.evaluate_by_states(theta, X)[0]
            weights = energy.log_importance_weights(theta, X, n_importance_samples)
            return logsumexp(weights, axis=1) - np.log(weights.dtype.type(weights.shape[1]))

        values = self._by_rows(log_p, X, width=self._n_hidden())
        if not self.score_normalized_:
            return values
        training = self._training
        log_z = self._log_partition.values(training.energy_theta, training.n_steps, X)
        return values - np.asarray(log_z).astype(values.dtype)

    def score_samples(self, X):
        """A lower bound of log p(x), −F(x) − log Z, in nats.

        F is the free energy of mean field, see ``energy``; ``log_density`` has less of a gap. The
        first call after a fit estimates log Z, within the budget that ``partition`` set. With
        ``partition="none"`` it is −F(x), not normalised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Of a row with missing entries (NaN) it is that of the observed ones.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
            Higher is more normal.

        Warns
        -----
        ConvergenceWarning
            Where the estimate of log Z is not to be trusted.
        """
        return super().score_samples(X)

    def _filled(self, X):
        """X with its gaps at the means of the training data, and their mask, or None."""
        missing = np.isnan(X)
        if not missing.any():
            return X, None
        return np.where(missing, self._training.visible_mean, X), missing

    def _output_layer(self):
        check_is_fitted(self)
        return _number(self._fitted_params["output_layer"], self._training.energy.sizes)

    def _n_hidden(self):
        check_is_fitted(self)
        return self._training.energy.n_components

    def _has_latent_variables(self):
        return True

    @property
    def _n_features_out(self):
        sizes, layer = self._training.energy.sizes, self._fitted_params["output_layer"]
        return sum(sizes) if layer == "all" else sizes[_number(layer, sizes) - 1]


def _number(layer, sizes):
    return len(sizes) if layer == "last" else layer
