"""How the learning rate falls over the steps of a fit."""

import math
from numbers import Integral

from sklvm._compat import Interval
from sklvm.settings import Settings

__all__ = [
    "SCHEDULES",
    "ConstantRate",
    "CosineDecay",
    "InverseTimeDecay",
    "LinearDecay",
    "Schedule",
]


class Schedule(Settings):
    """A factor of the learning rate for each step.

    Attributes
    ----------
    follows_plan : bool
        Whether the factor depends on how many steps are planned.
    """

    follows_plan = False

    def factor(self, step, n_planned_steps):
        """The factor for step 0, 1, …; `n_planned_steps` is None in ``partial_fit``."""
        raise NotImplementedError


class ConstantRate(Schedule):
    """The rate as it is."""

    def factor(self, step, n_planned_steps):
        return 1.0


class InverseTimeDecay(Schedule):
    """1/(1 + t/τ): meets the conditions of Robbins and Monro (1951).

    Parameters
    ----------
    decay_steps : int, default=1000
        τ, the steps after which the rate has halved.
    """

    _parameter_constraints = {"decay_steps": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, decay_steps=1000):
        self.decay_steps = decay_steps

    def factor(self, step, n_planned_steps):
        return 1 / (1 + step / self.decay_steps)


class _Horizon(Schedule):
    """Base of the schedules that end: 0 at the last step, and after it."""

    _parameter_constraints = {"decay_steps": [Interval(Integral, 1, None, closed="left"), None]}

    def __init__(self, decay_steps=None):
        self.decay_steps = decay_steps

    @property
    def follows_plan(self):
        return self.decay_steps is None

    def factor(self, step, n_planned_steps):
        horizon = self.decay_steps or n_planned_steps
        return 1.0 if not horizon else self._falling(min(step / horizon, 1.0))


class LinearDecay(_Horizon):
    """From 1 in a straight line to 0.

    Parameters
    ----------
    decay_steps : int, default=None
        Where 0 is reached; None: at the end of the fit. ``partial_fit`` has no end: there None
        keeps the rate constant.
    """

    def _falling(self, progress):
        return 1 - progress


class CosineDecay(_Horizon):
    """From 1 along half a cosine to 0 (Loshchilov & Hutter, 2017, eq. 5, without restarts).

    Parameters
    ----------
    decay_steps : int, default=None
        Where 0 is reached; None: at the end of the fit. ``partial_fit`` has no end: there None
        keeps the rate constant.
    """

    def _falling(self, progress):
        return 0.5 * (1 + math.cos(math.pi * progress))


SCHEDULES = {
    "constant": ConstantRate,
    "inverse_time": InverseTimeDecay,
    "linear": LinearDecay,
    "cosine": CosineDecay,
}
