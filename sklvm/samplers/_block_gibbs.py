"""Block Gibbs sampling of models with a visible and a hidden layer."""

from dataclasses import dataclass

import numpy as np

__all__ = ["BlockGibbs", "GibbsState"]


@dataclass
class GibbsState:
    """Chains of visible units, one a row, and how far the stream of random numbers has run.

    ``hidden_means`` are E[z | x] at the chains, for whoever left them there; z is drawn from them.
    """

    visible: np.ndarray
    seed: int
    sweep: int = 0
    hidden_means: np.ndarray | None = None

    def at(self, visible, hidden_means=None):
        """The state with its chains elsewhere."""
        return GibbsState(visible, self.seed, self.sweep, hidden_means)

    def diagnostics(self):
        """Nothing: every draw is accepted."""
        return {}


class BlockGibbs:
    """z ~ p(z|x), then x ~ p(x|z), all units of a layer at once.

    Parameters
    ----------
    energy : energy with the block-Gibbs capability
    free : ndarray of bool, default=None
        Of shape (d,) or (n, d): the visible units that may move. The others stay clamped at their
        value, and the chain samples p(x_free | x_clamped). None: all move.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy
    >>> from sklvm.samplers import BlockGibbs
    >>> energy = BernoulliRBMEnergy(n_features=3, n_components=2)
    >>> theta = np.zeros(energy.layout.size)
    >>> gibbs = BlockGibbs(energy, free=np.array([True, True, False]))
    >>> state = gibbs.init(np.ones((4, 3)), seed=0)
    >>> gibbs.step(theta, state, n_sweeps=10).visible[:, 2]
    array([1., 1., 1., 1.])
    """

    def __init__(self, energy, free=None):
        self.energy = energy
        self.free = free

    def init(self, visible, seed):
        """The chains' state at the given visible units; `seed` keys all their draws."""
        return GibbsState(visible, int(seed))

    def step(self, theta, state, n_sweeps=1):
        """The state after `n_sweeps` sweeps of both layers."""
        visible = state.visible
        for sweep in range(state.sweep, state.sweep + n_sweeps):
            hidden = self.energy.sample_hidden(theta, visible, state.seed, sweep)
            visible = self.energy.sample_visible(
                theta, hidden, state.seed, sweep, free=self.free, current=visible
            )
        return GibbsState(visible, state.seed, state.sweep + n_sweeps)
