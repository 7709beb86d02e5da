"""Training of a model that gains layers on the way."""

import numpy as np

from sklvm.rows import starting_rows
from sklvm.training import Training
from sklvm.training.links import LinkChain

__all__ = ["GrowingTraining"]


class GrowingTraining(Training):
    """Gradient training whose energy grows, in equal shares of the passes over the rows.

    Parameters
    ----------
    energies : list
        From the smallest to the whole one; all but the first have ``grown``.
    objective, optimizer : objects
    X, weights : ndarrays
        Rows to start from.
    rng : Generator
    links : list of lists of Link
        Those of each stage.
    """

    def __init__(self, energies, objective, optimizer, X, weights, rng, *, links):
        self._larger = list(zip(energies, links, strict=True))[1:]
        self._n_stages, self._growth_epochs, self._n_epochs = len(energies), [], 0
        super().__init__(energies[0], objective, optimizer, X, weights, rng, links=links[0])

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        super().begin(X, weights, rows, max_iter=max_iter, batch_size=batch_size)
        shares = np.linspace(0, max_iter, self._n_stages + 1).astype(int)
        n_left = len(self._larger)
        self._n_epochs, self._growth_epochs = 0, list(shares[self._n_stages - n_left : -1])
        n_batches = -(-len(rows) // batch_size)
        self._n_planned = [n_batches * int(n) for n in np.diff(shares)[self._n_stages - n_left :]]
        if self._larger:
            self.plan(n_batches * int(self._growth_epochs[0]))
        if max_iter == 0:
            self._grow_when_due(X, weights, rows)

    @property
    def can_hasten(self):
        """Whether all layers are there."""
        return not self._larger

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        """An epoch, after growth where it is due; ``n_layers`` counts the hidden layers."""
        self._grow_when_due(X, weights, rows)
        values = super().epoch(X, weights, rows, batch_size=batch_size, shuffle=shuffle)
        self._n_epochs += 1
        return {**values, "n_layers": float(self.energy.network.n_layers - 1)}

    def _grow_when_due(self, X, weights, rows):
        while self._larger and self._n_epochs >= self._growth_epochs[0]:
            self._grow(*starting_rows(X[rows], weights[rows], self.rng))
            del self._growth_epochs[0]

    def _grow(self, X, weights):
        known, smaller = self.parameters.own, self.energy
        self.energy, links = self._larger.pop(0)
        self.theta = self.energy.grown(smaller, self.theta[: smaller.layout.size], X, self.rng)
        self._start_objective(known, lambda: (X, weights))
        self.optimizer_state = self.optimizer.init(self.theta)
        self.plan(self._n_planned.pop(0))
        self.links = LinkChain(links, self.theta, X, weights)
        self.keep()

    def keep(self):
        super().keep()
        self._kept_model = self.energy, self.own_layout, self.layout, self.links, self._larger[:]

    def restore(self):
        self.energy, self.own_layout, self.layout, self.links, larger = self._kept_model
        self._larger = larger[:]
        super().restore()

    def __getstate__(self):
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_kept_model"}
