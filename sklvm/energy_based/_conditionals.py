"""Densities of some visible units given the others."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm.energy_based._masks import check_free
from sklvm.partition import MAX_TERMS
from sklvm.rows import as_dense, rows_by_gaps

__all__ = ["ConditionalMixin"]


class ConditionalMixin:
    """For models that can sum out any of their visible units: conditional densities."""

    def conditional_log_proba(self, X, free):
        """log p(x_free | x_others), in nats, exactly.

        Free of log Z: it is a difference of free energies, with the free units summed out in one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Complete data.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features)
            Which units' distribution is asked for; the others are given.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,)
            A log-density for real data.

        Raises
        ------
        ValueError
            For a mask of another shape, and where the sum has more than 2²⁰ terms.
        """
        check_is_fitted(self)
        X = as_dense(self._check_X(X))
        free = check_free(free, X.shape)
        if np.isnan(X).any():
            raise ValueError("X contains NaN; the density is that of complete rows.")
        energy, theta = self._training.energy, self._training.energy_theta
        without = self._energy_rows(energy, theta, np.where(free, np.nan, X))
        return without - self._energy_rows(energy, theta, X)

    def _energy_rows(self, energy, theta, X):
        """E(x), missing entries (NaN) being summed out."""
        if not np.isnan(X).any():
            return energy.evaluate(theta, X)[0]
        energies = np.empty(len(X), dtype=X.dtype)
        for rows, free in rows_by_gaps(X):
            if not free.any():
                energies[rows] = energy.evaluate(theta, X[rows])[0]
            elif energy.n_clamped_terms(free) <= MAX_TERMS:
                energies[rows] = -energy.log_clamped_partition(theta, X[rows], free)
            else:
                energies[rows] = -self._long_log_sum(energy, theta, X[rows], free)
        return energies

    def _long_log_sum(self, energy, theta, X, free):
        """log Σ p̃(x) over the units in `free`, where that has more than ``MAX_TERMS`` terms."""
        raise ValueError(
            f"The energy of a row with {free.sum()} missing entries is a sum over the "
            f"states of {energy.n_clamped_terms(free).bit_length() - 1} units; 20 are possible. "
            "Fill the entries by impute()."
        )
