"""The state of Markov chains: where they are, and which random numbers come next."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["ChainState", "block_masks", "free_entries"]


@dataclass(frozen=True)
class ChainState:
    """The state of many chains: each has one row in every block.

    Attributes
    ----------
    blocks : tuple of ndarray
        The visible units, of shape (n_chains, d), and then the groups of latent units that the
        sampler keeps, such as one for each hidden layer.
    seed : int
        Keys all random numbers of the chains.
    sweep : int, default=0
        Sweeps made: the other coordinate of the random numbers.
    cache : object, default=None
        Products of the blocks with θ that the next sweep can use; None: not computed. It belongs to
        these blocks.
    tuning : object, default=None
        What a sampler has learned while it ran, such as its step size.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy
    >>> energy = BernoulliRBMEnergy(n_features=3, n_components=2)
    >>> theta = np.zeros(energy.layout.size)
    >>> state = energy.start(theta, np.ones((4, 3)), seed=0)
    >>> for _ in range(10):
    ...     state, _ = energy.sweep(theta, state, free=np.array([True, True, False]))
    >>> state.visible[:, 2], state.sweep
    (array([1., 1., 1., 1.]), 10)
    """

    blocks: tuple
    seed: int
    sweep: int = 0
    cache: Any = None
    tuning: Any = None

    @property
    def visible(self):
        """The first block."""
        return self.blocks[0]

    def moved(self, blocks, cache=None):
        """The state one sweep later."""
        return replace(self, blocks=blocks, sweep=self.sweep + 1, cache=cache)

    def at(self, state):
        """The chains of another state, with the seed, the sweeps and the tuning of this one."""
        return replace(self, blocks=state.blocks, cache=state.cache)


def block_masks(free, n_blocks):
    """A mask for each block (None: all its units may move) from what ``sweep`` takes as `free`.

    That is None, a mask of the visible units, or a tuple with one of these for each block.
    """
    if isinstance(free, tuple):
        return free
    return (free, *[None] * (n_blocks - 1))


def free_entries(energy):
    """The mask of the entries of x that are not given, shape (d,); None where all are free."""
    n_inputs = getattr(energy, "n_inputs", 0)
    return np.arange(energy.n_features) >= n_inputs if n_inputs else None
