"""Step sizes by Nesterov's dual averaging."""

import math
from dataclasses import dataclass

__all__ = ["DualAveraging"]


@dataclass
class DualAveraging:
    """Drives the mean acceptance to a target (Hoffman & Gelman, JMLR 2014, eq. 6, section 3.2).

    Parameters
    ----------
    step_size : float
        The first guess; ``step_size`` is the current value from then on.
    target_acceptance : float, default=0.8
    gamma, t0, kappa : float
        Shrinkage, stabilisation of early steps and forgetting, at the paper's values.
    """

    step_size: float
    target_acceptance: float = 0.8
    gamma: float = 0.05
    t0: float = 10.0
    kappa: float = 0.75
    n_updates: int = 0
    mean_error: float = 0.0
    log_average: float = 0.0

    def __post_init__(self):
        self._shrink_to = math.log(10 * self.step_size)

    def update(self, acceptance):
        """Take in the mean acceptance probability of a transition at the current step size."""
        self.n_updates += 1
        t = self.n_updates
        eta = 1 / (t + self.t0)
        self.mean_error += eta * (self.target_acceptance - acceptance - self.mean_error)
        log_step = self._shrink_to - math.sqrt(t) / self.gamma * self.mean_error
        weight = t**-self.kappa
        self.log_average += weight * (log_step - self.log_average)
        self.step_size = math.exp(log_step)

    @property
    def averaged_step_size(self):
        """The step size to freeze."""
        return math.exp(self.log_average) if self.n_updates else self.step_size
