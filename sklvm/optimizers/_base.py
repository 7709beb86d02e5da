"""What an optimiser is: a pair of functions, init and step, over one flat vector."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.optimizers._schedules import SCHEDULES, Schedule
from sklvm.settings import Settings, StringShorthandMixin, resolve

__all__ = ["StochasticOptimizer"]


class StochasticOptimizer(StringShorthandMixin, Settings):
    """Base of the optimisers that take one gradient of a batch at a time.

    A subclass implements ``_init_moments(theta)`` and ``_update(theta, gradient, moments, rate,
    n_steps)``, which changes θ in place and returns the squared norm of the change.
    """

    _shorthands = {"schedule": SCHEDULES}
    _parameter_constraints: dict = {
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions(set(SCHEDULES)), Schedule],
        "max_gradient_norm": [Interval(Real, 0, None, closed="neither"), None],
    }
    full_batch = False

    def init(self, theta, n_planned_steps=None):
        """The state before the first step; `n_planned_steps` as in ``plan``."""
        return {
            "n_steps": 0,
            "first_planned_step": 0,
            "n_planned_steps": n_planned_steps,
            "schedule": resolve(self.schedule, SCHEDULES, "schedule", type(self).__name__),
            "moments": self._init_moments(theta),
        }

    def resume(self, theta, other, state):
        """The state to go on with where `other` was the optimiser before, and left `state`.

        Moments of θ are kept between optimisers of one kind; another kind starts anew.
        """
        resumed = self.init(theta)
        if type(other) is type(self) and state is not None:
            known = state["moments"]
            if all(known[name].shape == theta.shape for name in resumed["moments"]):
                resumed |= {"n_steps": state["n_steps"], "moments": known}
        return resumed

    def plan(self, state, n_planned_steps):
        """Begin the schedule anew, with `n_planned_steps` ahead.

        They are the horizon of schedules without one of their own. None: the schedule goes on, and
        no end is in sight, so that those without a horizon of their own keep the rate as it is.
        """
        if n_planned_steps is not None:
            state["first_planned_step"] = state["n_steps"]
        state["n_planned_steps"] = n_planned_steps

    def hasten(self, state, n_steps):
        """Go through the rest of the schedule in `n_steps` steps.

        The rate goes on from where it is. Schedules that do not depend on how many steps are
        planned stay as they are.
        """
        n_planned = state["n_planned_steps"]
        if not n_planned or not state["schedule"].follows_plan:
            return
        progress = min((state["n_steps"] - state["first_planned_step"]) / n_planned, 1.0)
        n_made = n_steps * progress / max(1 - progress, 1e-9)
        state["first_planned_step"] = state["n_steps"] - n_made
        state["n_planned_steps"] = n_made + n_steps

    def step(self, theta, gradient, state):
        """One step against the gradient, in place; ‖change‖², a float."""
        n_made = state["n_steps"] - state["first_planned_step"]
        factor = state["schedule"].factor(n_made, state["n_planned_steps"])
        if self.max_gradient_norm is not None:
            norm = float(np.sqrt(gradient @ gradient))
            if norm > self.max_gradient_norm:
                gradient = gradient * gradient.dtype.type(self.max_gradient_norm / norm)
        state["n_steps"] += 1
        rate = self.learning_rate * factor
        return self._update(theta, gradient, state["moments"], rate, state["n_steps"])
