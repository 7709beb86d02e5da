"""Training of a deep Boltzmann machine that begins with a stack of restricted ones."""

import numpy as np

from sklvm.rows import as_dense, starting_rows
from sklvm.training import Training
from sklvm.training.links import LinkChain

__all__ = ["PretrainedTraining"]


class PretrainedTraining(Training):
    """Gradient training whose first passes train one layer after the other, each by itself.

    Each layer is a restricted machine with copies of the layers that have another one beyond them
    (``TiedCopies``), trained on the means of the layer below. The deep machine takes their weights;
    a hidden layer has half the bias that the machine below it gives to it and half of that which
    the machine above it gives.

    Parameters
    ----------
    energy : DeepBoltzmannMachineEnergy
    objective, optimizer : objects
    X, weights : ndarrays
        Rows to start from.
    rng : Generator
    links : list of Link
        Of the deep machine.
    stack : list of tuple
        For each layer its energy, objective, and links.
    share : float
        Of all passes, those over which the stack is trained.
    """

    def __init__(self, energy, objective, optimizer, X, weights, rng, *, links, stack, share):
        super().__init__(energy, objective, optimizer, X, weights, rng, links=links)
        self._joint_links, self._stack, self._share = links, list(stack), share
        self._layers, self._schedule, self._features = [], [], None

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        super().begin(X, weights, rows, max_iter=max_iter, batch_size=batch_size)
        n_pretraining = round(self._share * max_iter) if self._stack else 0
        if n_pretraining == 0:
            self._drop_stack()
        n_layers = len(self._stack)
        shares = np.diff(np.linspace(0, n_pretraining, n_layers + 1).astype(int))
        self._schedule = [int(n) for n in shares] if self._stack else []
        self._n_left, self._n_batches = 0, -(-len(rows) // batch_size)
        self._n_joint = max_iter - n_pretraining

    @property
    def can_hasten(self):
        """Whether all layers are trained together."""
        return not self._stack

    @property
    def stage(self):
        """The layer that is trained, from 1; with all of them, one more than there are."""
        return len(self._layers) if self._stack else self.energy.n_layers + 1

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        """An epoch of the ``stage`` that is due, which the record tells."""
        while self._stack and self._n_left == 0:
            self._next_stage(X, weights, rows)
        if not self._stack:
            values = super().epoch(X, weights, rows, batch_size=batch_size, shuffle=shuffle)
            return {**values, "stage": float(self.stage)}
        layer = self._layers[-1]
        values = layer.epoch(self._features, weights, rows, batch_size=batch_size, shuffle=shuffle)
        self._n_left -= 1
        self.n_steps += self._n_batches
        self._compose()
        return {**values, "stage": float(self.stage)}

    def _next_stage(self, X, weights, rows):
        if not self._schedule:
            self._train_jointly(X, weights, rows)
            return
        self._n_left = self._schedule.pop(0)
        energy, objective, links = self._stack[len(self._layers)]
        self._features = X if not self._layers else self._means_of_last_layer(X)
        start = starting_rows(self._features[rows], weights[rows], self.rng)
        layer = Training(energy, objective, self.optimizer, *start, self.rng, links=links)
        layer.plan(self._n_left * self._n_batches)
        self._layers.append(layer)

    def _means_of_last_layer(self, X):
        """The means of the layer that was trained last, its gaps below filled by column means."""
        layer, features = self._layers[-1], self._features
        rows_a_time = max(1, 2**19 // max(features.shape[1], layer.energy.n_components))
        means = np.empty((X.shape[0], layer.energy.n_components), dtype=self.theta.dtype)
        for first in range(0, X.shape[0], rows_a_time):
            some = as_dense(features[first : first + rows_a_time])
            some = np.where(np.isnan(some), layer.visible_mean, some)
            means[first : first + rows_a_time] = layer.energy.posterior(layer.energy_theta, some)
        return means

    def _compose(self):
        """The deep machine's θ from those of the layers that are trained so far."""
        views = self.energy.layout.views(self.energy_theta)
        biases = [views["hidden_bias"]]
        biases += [views[f"bias_{layer}"] for layer in range(2, self.energy.n_layers + 1)]
        for number, layer in enumerate(self._layers, start=1):
            own = layer.energy.layout.views(layer.energy_theta)
            views["weights" if number == 1 else f"weights_{number}"][...] = own["weights"]
            biases[number - 1][...] = own["hidden_bias"]
            if number > 1:
                biases[number - 2][...] += own["visible_bias"]
                biases[number - 2][...] *= 0.5
                continue
            for name in own.keys() & {"visible_bias", "log_scale"}:
                views[name][...] = own[name]

    def _train_jointly(self, X, weights, rows):
        self._drop_stack()
        start = starting_rows(X[rows], weights[rows], self.rng)
        self._start_objective(self.parameters.own, lambda: start)
        self.optimizer_state = self.optimizer.init(self.theta)
        self.plan(self._n_joint * self._n_batches)
        self.links = LinkChain(self._joint_links, self.theta, *start)
        self.keep()

    def _drop_stack(self):
        self._stack, self._layers, self._features = [], [], None

    def continued(self, energy, objective, optimizer, links, start, rng=None):
        """The stack is not trained again."""
        new = super().continued(energy, objective, optimizer, links, start, rng)
        new._drop_stack()
        new._joint_links = links
        return new

    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "_stack": [], "_layers": [], "_features": None}
