"""Adam."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.kernels import adam_update
from sklvm.optimizers._base import StochasticOptimizer

__all__ = ["Adam"]


class Adam(StochasticOptimizer):
    """Adaptive moment estimation (Kingma & Ba, 2015, algorithm 1), bias-corrected.

    Parameters
    ----------
    learning_rate : float, default=0.001
        About the most that one step moves a parameter.
    beta1, beta2 : float in [0, 1), default=0.9, 0.999
        Decay of the first and of the second moment.
    epsilon : float, default=1e-8
        Added to the root of the second moment.
    schedule : {"constant", "inverse_time", "linear", "cosine"} or Schedule, default="constant"
        How the learning rate falls.
    max_gradient_norm : float, default=None
        Longer gradients are scaled down to it.

    Examples
    --------
    >>> from sklvm.optimizers import Adam
    >>> Adam(schedule="cosine")
    Adam(schedule='cosine')
    """

    _parameter_constraints = {
        "beta1": [Interval(Real, 0, 1, closed="left")],
        "beta2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        learning_rate=0.001,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        schedule="constant",
        max_gradient_norm=None,
    ):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.schedule = schedule
        self.max_gradient_norm = max_gradient_norm

    def _init_moments(self, theta):
        return {"first": np.zeros_like(theta), "second": np.zeros_like(theta)}

    def _update(self, theta, gradient, moments, rate, n_steps):
        return adam_update(
            theta,
            gradient,
            moments["first"],
            moments["second"],
            rate,
            self.beta1,
            self.beta2,
            self.epsilon,
            n_steps,
        )
