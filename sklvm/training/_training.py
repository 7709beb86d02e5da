"""Training by gradients: one vector of parameters, and the step that changes it."""

import copy
import math
from collections import Counter

import numpy as np

from sklvm.exceptions import DivergenceError
from sklvm.layouts import Parameters
from sklvm.rows import as_dense, slices
from sklvm.training._full_batch import minimize
from sklvm.training.links import LinkChain

__all__ = ["Training"]

# A step that moves the parameters by more than this multiple of the length that they had when last
# kept (or of 1) is an explosion.
MAX_RELATIVE_CHANGE = 1e3


class Training:
    """An energy trained by an objective and an optimiser: the parameters and all state.

    It is pickled with its estimator: a model that is saved, loaded and trained further is the same
    as one that was never saved.

    Parameters
    ----------
    energy, objective, optimizer : objects
        Whose protocols fit each other; see ``check_compatible``.
    X : ndarray of shape (n, d)
        Rows to start from: all training data, or the first chunk of a stream.
    weights : ndarray of shape (n,)
        Positive; of X's dtype.
    rng : Generator
    links : iterable of Link, default=()
        What a step passes through, in order; see :mod:`sklvm.training.links`.

    Attributes
    ----------
    theta : ndarray
        The energy's parameters, then the objective's own.
    n_steps : int
        Steps taken.
    seed : int
        Keys random numbers that are needed after training, such as those of log Z.
    visible_mean : ndarray of shape (d,)
        The mean of the rows that it started from.
    converged : bool or None
        Whether a full-batch optimiser converged in the last fit; None for other optimisers.
    """

    converged, can_hasten = None, True

    def __init__(
        self,
        energy,
        objective,
        optimizer,
        X,
        weights,
        rng,
        *,
        links=(),
    ):
        self.energy, self.objective, self.optimizer = energy, objective, optimizer
        self._take_generators(rng)
        self.theta = energy.init_parameters(X, rng, weights)
        self._start_objective({}, lambda: (X, weights))
        self.optimizer_state = None if optimizer.full_batch else optimizer.init(self.theta)
        self.n_steps = 0
        self.visible_mean = (weights / weights.sum()) @ X
        self.links = LinkChain(links, self.theta, X, weights)
        self.keep()

    def continued(self, energy, objective, optimizer, links, start, rng=None):
        """A training that goes on from this one with other settings; this one stays as it is.

        θ is kept, and so is the state of the chain of links, of the optimiser and of the objective
        where the new ones can take it over; what is new begins anew. The energy has the layout of
        this one's, and so have those of the objective's own parameters that have the same name.

        Parameters
        ----------
        energy, objective, optimizer : objects
        links : iterable of Link
        start : callable
            () → X and weights as for a new training, for what begins anew.
        rng : Generator, default=None
            None: the random numbers go on, too.
        """
        known = copy.deepcopy((self.objective_state, self.optimizer_state, self.links.states))
        new = copy.copy(self)
        new.energy, new.objective, new.optimizer = energy, objective, optimizer
        new.theta = self.theta.copy()
        new.objective_state, new.optimizer_state, link_states = known
        if rng is None:
            new.rng, new.shuffle_rng = copy.deepcopy((self.rng, self.shuffle_rng))
        else:
            new._take_generators(rng)
        if not objective.can_take_over(self.objective):
            new._start_objective(self.parameters.own, start)
        if optimizer.full_batch:
            new.optimizer_state = None
        else:
            new.optimizer_state = optimizer.resume(new.theta, self.optimizer, new.optimizer_state)
        new.links = self.links.continued(links, link_states, new.theta, start)
        new.keep()
        return new

    def _take_generators(self, rng):
        self.rng, self.shuffle_rng, seed_rng = rng.spawn(3)
        self.seed = int(seed_rng.integers(2**63))

    def _start_objective(self, known, start):
        """The objective begins, with those of its own parameters that are `known` by name."""
        energy_theta = self.energy_theta
        self._join_layouts()
        own = np.zeros(self.own_layout.size, dtype=energy_theta.dtype)
        self.theta = np.concatenate([energy_theta, own])
        X, weights = start()
        self.objective_state = self.objective.init(
            self.energy, self.parameters, X, weights, self.rng
        )
        for name, view in self.parameters.own.items():
            if name in known and known[name].shape == view.shape:
                view[...] = known[name]

    def _join_layouts(self):
        self.own_layout = self.objective.own_layout(self.energy)
        self.layout = self.energy.layout + self.own_layout
        # ρ, where the energy learns a σ² = σ_min² + exp(rate·ρ), and by how much it may rise.
        places = self.energy.layout.part(np.arange(self.energy.layout.size), "log_scale")
        self._log_scale = slice(places[0], places[-1] + 1) if len(places) else slice(0)
        if len(places):
            self._longest_rise = 2 * math.log(MAX_RELATIVE_CHANGE) / self.energy.scale.rate

    @property
    def energy_theta(self):
        """The energy's share of θ."""
        return self.theta[: self.energy.layout.size]

    @property
    def parameters(self):
        """θ with the energy's part and the objective's own by name."""
        return Parameters(self.theta, self.own_layout)

    def criterion(self, parameters, X, weights, state, rng):
        """The objective on a batch: its value, its flat gradient and the next state."""
        value, gradient, state = self.objective.step(
            self.energy, parameters, X, weights, state, rng
        )
        return value, gradient.vector, state

    @property
    def diagnostics(self):
        """What the objective tells of the last step, floats by name."""
        return self.objective.diagnostics(self.objective_state)

    @property
    def drives_epochs(self):
        """Whether the optimiser iterates by itself, over all rows."""
        return self.optimizer.full_batch

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        """A fit begins: the optimiser's schedule is told how many steps it will have."""
        self.converged = None
        self._n_batches = len(slices(len(rows), batch_size))
        self.plan(max_iter * self._n_batches)

    def hasten(self, n_passes):
        """The optimiser's schedule goes through its rest in so many passes over the rows."""
        self.optimizer.hasten(self.optimizer_state, n_passes * self._n_batches)

    def plan(self, n_steps):
        """Tell the optimiser's schedule that a fit of `n_steps` steps begins; None: no end."""
        if self.optimizer_state is not None:
            self.optimizer.plan(self.optimizer_state, n_steps)

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        """One step a batch; weights count relative to their mean.

        Returns
        -------
        values : dict of str to float
            Weighted means of the criterion, the gradient's norm and the objective's diagnostics.
        """
        weights = weights / weights[rows].mean()
        order = self.shuffle_rng.permutation(rows) if shuffle else rows
        batches = (order[part] for part in slices(len(order), batch_size))
        return self._mean_of_steps(X, weights, batches, min(batch_size, len(rows)))

    def stream(self, X, weights, *, batch_size):
        """One step a batch of rows in their order; a ragged batch counts by its rows."""
        self.plan(None)
        return self._mean_of_steps(X, weights, slices(len(weights), batch_size), batch_size)

    minimize = minimize

    def _mean_of_steps(self, X, weights, batches, full_batch):
        totals, total_weight = Counter(), 0.0
        for batch in batches:
            batch_weight = float(weights[batch].sum())
            value, gradient_norm = self.step(X[batch], weights[batch], full_batch)
            values = {"objective": value, "gradient_norm": gradient_norm, **self.diagnostics}
            totals.update({name: batch_weight * value for name, value in values.items()})
            total_weight += batch_weight
        return {name: total / total_weight for name, total in totals.items()}

    def step(self, X, weights, full_batch=None):
        """One step on a batch.

        Parameters
        ----------
        X : ndarray or sparse array of shape (n, d)
            Dense rows are made of sparse ones here.
        weights : ndarray of shape (n,)
            Positive, 1 being the weight of an average row: a batch of heavier rows has a longer
            gradient.
        full_batch : int, default=None
            Rows of a full batch: a ragged one has a gradient shorter by its share, so that all rows
            count alike. None: this batch is full.

        Returns
        -------
        value : float
            The criterion on the batch; NaN where the objective has none.
        gradient_norm : float

        Raises
        ------
        DivergenceError
            Where the criterion, the gradient or the step leaves the finite; θ is then what ``keep``
            last kept.
        """
        weights = weights.astype(self.theta.dtype, copy=False)
        # Overflow is caught just below, by its result.
        with np.errstate(over="ignore", invalid="ignore"):
            X = self._rows_to_see(X, self.rng)
            value, gradient, self.objective_state = self.criterion(
                self.parameters, X, weights / weights.sum(), self.objective_state, self.rng
            )
            share = weights.sum() / gradient.dtype.type(full_batch or len(weights))
            if share != 1:
                gradient *= share
            self.links.watch(self.theta, X, weights, self.n_steps)
            value, gradient = self.links.pull(self.theta, value, gradient)
            squared_gradient = float(gradient @ gradient)
            value = math.nan if value is None else value
            if not math.isfinite(squared_gradient) or math.isinf(value):
                self._diverge("the criterion or its gradient is not finite")
            rho = self.theta[self._log_scale].copy()
            squared_change = self._move(gradient)
        if not squared_change <= self._longest_squared_change:
            self._diverge("a single step moved the parameters by far more than their own size")
        if rho.size and not np.abs(self.theta[self._log_scale] - rho).max() <= self._longest_rise:
            self._diverge("a single step changed a learned σ by more than a factor of 1000")
        self.n_steps += 1
        return value, math.sqrt(squared_gradient)

    def _rows_to_see(self, X, rng):
        """A batch as the criterion is to see it: dense, of θ's dtype, its random parts drawn."""
        X = as_dense(X).astype(self.theta.dtype, copy=False)
        return self.links.draw(self.theta, X, rng)

    def _move(self, gradient):
        """A step of the optimiser, as the links have it; ‖change‖².

        That of the proposed change is as good, unless it is too long: links may have made a short
        change of it. Centred parameters may move little where θ moves far, though, and so the
        shorter of the two counts.
        """
        if not self.links.moves:
            return self.optimizer.step(self.theta, gradient, self.optimizer_state)
        change = np.zeros_like(self.theta)
        squared_change = self.optimizer.step(change, gradient, self.optimizer_state)
        self.links.move(self.theta, change)
        self.theta += change
        if squared_change > self._longest_squared_change:
            squared_change = min(squared_change, float(change @ change))
        return squared_change

    def has_finite_parameters(self):
        """Whether θ is finite, and any σ, of which it holds the logarithm."""
        rho = self.theta[self._log_scale]
        with np.errstate(over="ignore"):
            return bool(
                np.all(np.isfinite(self.theta))
                and (not rho.size or np.all(np.isfinite(self.energy.scale.at(rho)[0])))
            )

    def evaluate(self, X, weights, batch_size):
        """The criterion on all rows of X, in batches; its noise is the same every time."""
        rng = np.random.default_rng(0)
        state = self.objective.settled(copy.deepcopy(self.objective_state))
        total = 0.0
        for rows in slices(len(weights), batch_size):
            batch_weight = weights[rows].sum()
            batch = self._rows_to_see(X[rows], rng)
            value, _, state = self.criterion(
                self.parameters, batch, weights[rows] / batch_weight, state, rng
            )
            total += float(batch_weight) * value
        return total / float(weights.sum())

    def mean_energy(self, X, weights, batch_size):
        """Of all rows of X, in batches; their random parts are the same every time."""
        rng = np.random.default_rng(0)
        total = 0.0
        for rows in slices(len(weights), batch_size):
            batch = self._rows_to_see(X[rows], rng)
            total += float(weights[rows] @ self.energy.evaluate(self.energy_theta, batch)[0])
        return total / float(weights.sum())

    def keep(self):
        """Keep the current parameters as the ones to return to."""
        states = (self.optimizer_state, self.objective_state, self.links.states, self.n_steps)
        self._kept = (self.theta.copy(), copy.deepcopy(states))
        squared_length = float(np.einsum("i,i", self.theta, self.theta, dtype=np.float64))
        self._longest_squared_change = MAX_RELATIVE_CHANGE**2 * max(1.0, squared_length)

    def restore(self):
        """Return to what ``keep`` last kept."""
        theta, states = self._kept
        self.theta = theta.copy()
        states = copy.deepcopy(states)
        self.optimizer_state, self.objective_state, self.links.states, self.n_steps = states

    def __getstate__(self):
        # What is kept to return to is rebuilt: between fits it is the state itself.
        return {name: value for name, value in vars(self).items() if name != "_kept"}

    def __setstate__(self, state):
        vars(self).update(state)
        self.keep()

    def _diverge(self, what):
        n_steps = self.n_steps
        self.restore()
        raise DivergenceError(
            f"Training diverged after {n_steps} steps: {what}. The last finite parameters "
            "were kept. Try a smaller learning rate, a max_gradient_norm, or scaled data."
        )
