"""A target for how often hidden units are on."""

from sklvm.training.links._base import Link
from sklvm.training.links._running_means import RunningMeans

__all__ = ["SparsityTarget"]


class SparsityTarget(Link):
    """Pulls the mean activity q of every hidden unit towards a target.

    It adds the gradient of the cross-entropy between the target and q, which with respect to a
    unit's input is q − target. Only the biases are moved, and q is a running mean (Hinton, "A
    practical guide to training restricted Boltzmann machines", 2010, section 11). The reported
    value of the criterion does not include it.

    Parameters
    ----------
    energy : energy
        With binary hidden units, whose biases are the parameter `bias`.
    target : float
        Between 0 and 1.
    cost : float
        Weight of the cross-entropy.
    bias : str, default="hidden_bias"
    """

    deterministic = False

    def __init__(self, energy, target, cost, bias="hidden_bias"):
        self.energy, self.target, self.cost, self.bias = energy, target, cost, bias

    @property
    def asked_by(self):
        return f"sparsity_target={self.target}"

    def init(self, theta, X, weights):
        return RunningMeans(self.energy, self._own(theta), X, weights)

    def watch(self, theta, X, weights, n_steps, state):
        state.update(self.energy, self._own(theta), X, weights, n_steps)

    def pull(self, theta, value, gradient, state):
        activity = state.blocks[1]
        excess = activity - activity.dtype.type(self.target)
        out = self.energy.layout.views(self._own(gradient))
        out[self.bias] += activity.dtype.type(self.cost) * excess
        return value, gradient

    def _own(self, vector):
        return vector[: self.energy.layout.size]
