"""Training in progress: one vector of parameters, what moves it, and one step."""

import copy
import math

import numpy as np

from sklvm.exceptions import DivergenceError

__all__ = ["Training"]

# A step that moves the parameters by more than this multiple of their own length (or of 1) is an
# explosion.
MAX_RELATIVE_CHANGE = 1e3


class Training:
    """Energy × objective × optimiser, the one parameter vector and all state.

    It pickles with its estimator, so that ``partial_fit`` and ``warm_start`` go on as if nothing
    had happened.

    Parameters
    ----------
    energy, objective, optimizer : objects
        Whose protocols fit each other; see ``check_compatible``.
    X : ndarray of shape (n, d)
        Rows to start from: all training data, or the first chunk of a stream.
    weights : ndarray of shape (n,)
        Positive; of X's dtype.
    rng : Generator

    Attributes
    ----------
    theta : ndarray
        The energy's parameters, then the objective's own.
    n_steps : int
        Steps taken.
    """

    def __init__(self, energy, objective, optimizer, X, weights, rng):
        self.energy, self.objective, self.optimizer = energy, objective, optimizer
        self.rng, self.shuffle_rng = rng.spawn(2)
        start = energy.init_parameters(X, rng)
        extra, self.objective_state = objective.init(
            energy, start, X, weights / weights.sum(), self.rng
        )
        self.theta = np.concatenate([start, extra])
        self.layout = energy.layout + objective.extra_layout(energy)
        self.optimizer_state = None if optimizer.full_batch else optimizer.init(self.theta)
        self.n_steps = 0
        self._squared_length = float(self.theta @ self.theta)
        self.keep()

    @property
    def energy_theta(self):
        """The energy's share of θ."""
        return self.theta[: self.energy.layout.size]

    @property
    def diagnostics(self):
        """What the objective tells of the last step, floats by name."""
        return self.objective.diagnostics(self.objective_state)

    def plan(self, n_steps):
        """Tell the optimiser's schedule that a fit of `n_steps` steps begins; None: no end."""
        if self.optimizer_state is not None:
            self.optimizer.plan(self.optimizer_state, n_steps)

    def step(self, X, weights):
        """One step on a batch.

        Parameters
        ----------
        X : ndarray of shape (n, d)
        weights : ndarray of shape (n,)
            Positive, 1 being the weight of an average row: a batch of heavier rows has a longer
            gradient.

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
        # Overflow is caught just below, by its result.
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient, self.objective_state = self.objective.step(
                self.energy,
                self.theta,
                X,
                weights / weights.sum(),
                self.objective_state,
                self.rng,
            )
            gradient *= weights.mean()
            squared_gradient = float(gradient @ gradient)
        value = math.nan if value is None else value
        if not math.isfinite(squared_gradient) or math.isinf(value):
            self._diverge("the criterion or its gradient is not finite")
        squared_change = self.optimizer.step(self.theta, gradient, self.optimizer_state)
        if not squared_change <= MAX_RELATIVE_CHANGE**2 * max(1.0, self._squared_length):
            self._diverge("a single step moved the parameters by far more than their own size")
        self._squared_length = float(self.theta @ self.theta)
        self.n_steps += 1
        return value, math.sqrt(squared_gradient)

    def evaluate(self, X, weights, batch_size):
        """The criterion on all rows of X, in batches; its noise is the same every time."""
        rng = np.random.default_rng(0)
        state = copy.deepcopy(self.objective_state)
        total = 0.0
        for rows in slices(len(X), batch_size):
            batch_weight = weights[rows].sum()
            value, _, state = self.objective.step(
                self.energy, self.theta, X[rows], weights[rows] / batch_weight, state, rng
            )
            total += float(batch_weight) * value
        return total / float(weights.sum())

    def keep(self):
        """Keep the current parameters as the ones to return to."""
        states = (self.optimizer_state, self.objective_state, self.n_steps)
        self._kept = (self.theta.copy(), copy.deepcopy(states))

    def restore(self):
        """Return to what ``keep`` last kept."""
        theta, states = self._kept
        self.theta = theta.copy()
        self.optimizer_state, self.objective_state, self.n_steps = copy.deepcopy(states)
        self._squared_length = float(self.theta @ self.theta)

    def _diverge(self, what):
        n_steps = self.n_steps
        self.restore()
        raise DivergenceError(
            f"Training diverged after {n_steps} steps: {what}. The last finite parameters "
            "were kept. Try a smaller learning rate, a max_gradient_norm, or scaled data."
        )


def slices(n, size):
    """Consecutive slices of `size` rows; the last one may be ragged."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
