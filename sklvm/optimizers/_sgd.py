"""Stochastic gradient descent with momentum."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.kernels import sgd_update
from sklvm.optimizers._base import StochasticOptimizer

__all__ = ["SGD"]


class SGD(StochasticOptimizer):
    """v ← μv − ηg, θ ← θ + v (Polyak, 1964); Nesterov's form adds μv − ηg with the new v.

    Parameters
    ----------
    learning_rate : float, default=0.01
        η.
    momentum : float in [0, 1), default=0.0
        μ.
    nesterov : bool, default=False
        Nesterov's form (Sutskever et al., ICML 2013, eq. 3–4).
    schedule : {"constant", "inverse_time", "linear", "cosine"} or Schedule, default="constant"
        How η falls.
    max_gradient_norm : float, default=None
        Longer gradients are scaled down to it.

    Examples
    --------
    >>> from sklvm.optimizers import SGD
    >>> SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9)
    """

    _parameter_constraints = {
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterov": ["boolean"],
    }

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.0,
        nesterov=False,
        schedule="constant",
        max_gradient_norm=None,
    ):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.schedule = schedule
        self.max_gradient_norm = max_gradient_norm

    def _init_moments(self, theta):
        return {"velocity": np.zeros_like(theta)}

    def _update(self, theta, gradient, moments, rate, n_steps):
        return sgd_update(theta, gradient, moments["velocity"], rate, self.momentum, self.nesterov)
