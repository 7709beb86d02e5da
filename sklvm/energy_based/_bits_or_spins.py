"""Visible units that users have as bits, or as spins of −1 and 1."""

from numbers import Real

import numpy as np
from sklearn.preprocessing import binarize as threshold_rows

from sklvm._compat import Interval, StrOptions
from sklvm.base import SamplingMixin, binary_rows

__all__ = ["BitsOrSpinsMixin"]


class BitsOrSpinsMixin:
    """For densities of bits with the parameters ``states`` and ``binarize``."""

    _parameter_constraints: dict = {
        "states": [StrOptions({"bits", "spin"})],
        "binarize": [Interval(Real, None, None, closed="neither"), None],
    }

    def sample(self, n_samples=1, *, n_steps=100, init="reference", given=None, random_state=None):
        draws = super().sample(
            n_samples, n_steps=n_steps, init=init, given=given, random_state=random_state
        )
        return self._as_given(draws)

    sample.__doc__ = SamplingMixin.sample.__doc__

    def _filling(self, given, free, method, n_steps, rng):
        return self._as_given(super()._filling(given, free, method, n_steps, rng))

    def _prepared(self, X, params):
        missing = np.isnan(X)
        if params["binarize"] is not None:
            bits = threshold_rows(np.where(missing, 0, X), threshold=params["binarize"])
            return np.where(missing, X, bits.astype(X.dtype))
        if params["states"] == "bits":
            return binary_rows(X, None, "or scale the data")
        known = X[~missing]
        if np.any(np.abs(known) != 1):
            raise ValueError(
                f"With states='spin' X must hold -1 and 1, got values from {known.min():g} to "
                f"{known.max():g}. Set binarize=threshold."
            )
        return (X + 1) / 2

    def _is_spin(self):
        return getattr(self, "_fitted_params", vars(self))["states"] == "spin"

    def _as_given(self, bits):
        return 2 * bits - 1 if self._is_spin() else bits
