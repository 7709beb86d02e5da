"""What criteria of the units given all the others share."""

import numpy as np

from sklvm.energies import SiteConditionals, free_entries
from sklvm.objectives._base import Objective

__all__ = ["SiteObjective"]


class SiteObjective(Objective):
    """J(θ) = E_x[Σ_j f(tⱼ, xⱼ)], tⱼ the logits of unit j given all the others: free of log Z."""

    requires = (SiteConditionals,)
    deterministic = True

    def step(self, energy, theta, X, weights, state, rng):
        states = energy.site_states(X)
        logits, pullback = energy.site_logits(theta.energy, X)
        value, slope = self._loss(logits, states[:, :, np.newaxis])
        if (free := free_entries(energy)) is not None:
            # One site a feature, or one a block of features.
            free = free[:: len(free) // states.shape[1]]
            value, slope = value * free, slope * free[:, np.newaxis]
        gradient = pullback(weights[:, np.newaxis, np.newaxis] * slope)
        return float(weights @ value.sum(axis=1)), theta.like(gradient), state

    def _loss(self, logits, states):
        """f of shape (n, m) and its slopes in the logits (n, m, L); `states` is of (n, m, 1)."""
        raise NotImplementedError
