"""What criteria of single bit flips share."""

import numpy as np

from sklvm.energies import BitFlips
from sklvm.objectives._base import Objective

__all__ = ["BitFlipObjective"]


class BitFlipObjective(Objective):
    """J(θ) = E_x[Σ_j f(Δ_j)], Δ_j = log p(x) − log p(x with bit j flipped): free of log Z."""

    requires = (BitFlips,)
    deterministic = True

    def step(self, energy, theta, X, weights, state, rng):
        if not np.all((X == 0) | (X == 1)):
            raise ValueError(
                f"{type(self).__name__} flips bits: it needs data of 0 and 1, got values from "
                f"{X.min():g} to {X.max():g}."
            )
        differences, pullback = energy.flip_energies(theta.energy, X)
        value, slope = self._loss(differences)
        gradient = pullback(weights[:, np.newaxis] * slope)
        return float(weights @ value.sum(axis=1)), theta.like(gradient), state

    def _loss(self, differences):
        """f and f′, element by element."""
        raise NotImplementedError
