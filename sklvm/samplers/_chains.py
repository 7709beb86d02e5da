"""Markov chains for any energy: the interface that all samplers share."""

from dataclasses import replace

from sklvm.settings import Settings

__all__ = ["Chains"]


class Chains(Settings):
    """A way to move Markov chains of an energy, at the current θ of training.

    ``start`` and ``sweep`` are those of the ``Gibbs`` capability with the energy as an additional
    first argument, because chains may be moved by the energy's own sweep or by its score.

    Attributes
    ----------
    requires : tuple of protocols
        The capabilities that it asks of an energy.
    """

    requires: tuple = ()

    def start(self, energy, theta, X, seed):
        """The ``ChainState`` of chains at the rows of X; `seed` keys all their draws."""
        raise NotImplementedError

    def sweep(self, energy, theta, state, *, free=None, tempering=None):
        """The state after one transition at θ, and floats by name that describe it."""
        raise NotImplementedError

    def restart(self, energy, theta, state, X):
        """Chains at the rows of X; random numbers and tuning go on as in `state`."""
        fresh = self.start(energy, theta, X, state.seed)
        return replace(fresh, sweep=state.sweep, tuning=state.tuning)

    def run(self, energy, theta, state, n_sweeps, *, free=None):
        """The state after `n_sweeps` sweeps, and the means of what the sweeps report."""
        infos = []
        for _ in range(n_sweeps):
            state, info = self.sweep(energy, theta, state, free=free)
            infos.append(info)
        names = infos[0] if infos else {}
        return state, {name: sum(info[name] for info in infos) / n_sweeps for name in names}
