"""Chains of an energy that can draw some units given all the others."""

from sklvm.energies import Gibbs
from sklvm.samplers._chains import Chains

__all__ = ["GibbsChains"]


class GibbsChains(Chains):
    """Gibbs sampling, as the energy does it: in blocks, site by site, or by colours.

    There is nothing to tune. In training, the first draws of a sweep use products that were
    computed at the θ of the last step, and so lag behind by that step; this saves one of six
    products.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy
    >>> from sklvm.samplers import GibbsChains
    >>> energy = BernoulliRBMEnergy(n_features=3, n_components=2)
    >>> theta = np.zeros(energy.layout.size)
    >>> chains = GibbsChains()
    >>> state = chains.start(energy, theta, np.ones((1000, 3)), seed=0)
    >>> state, _ = chains.sweep(energy, theta, state, free=np.array([True, True, False]))
    >>> np.round(state.visible.mean(axis=0), 1)
    array([0.5, 0.5, 1. ])
    """

    requires = (Gibbs,)

    def start(self, energy, theta, X, seed):
        return energy.start(theta, X, seed)

    def sweep(self, energy, theta, state, *, free=None, tempering=None):
        return energy.sweep(theta, state, free=free, tempering=tempering)
