"""Densities of some visible units given the others."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm.rows import as_dense

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
        X, free = as_dense(self._check_X(X)), np.asarray(free)
        if free.dtype != np.bool_ or free.shape not in (X.shape, X.shape[1:]):
            raise ValueError(
                f"free must be a mask of shape {X.shape[1:]} or {X.shape}, got shape {free.shape} "
                f"and dtype {free.dtype}."
            )
        if np.isnan(X).any():
            raise ValueError("X contains NaN; the density is that of complete rows.")
        energy, theta = self._training.energy, self._training.energy_theta
        without = self._energy_rows(energy, theta, np.where(free, np.nan, X))
        return without - self._energy_rows(energy, theta, X)
