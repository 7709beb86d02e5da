"""Steps in centred parameters."""

from sklvm.training.links._base import Link
from sklvm.training.links._running_means import RunningMeans

__all__ = ["Centring"]


class Centring(Link):
    """Takes steps in the parameters of the same model with an offset taken off each unit.

    The offsets are running means over the data, one vector for each block of units, the visible
    block first (Melchior, Fischer & Wiskott, JMLR 17, 2016).

    Parameters
    ----------
    energy : Centred and PositivePhase
    """

    asked_by = "centered=True"
    deterministic = False
    moves = True

    def __init__(self, energy):
        self.energy = energy

    def init(self, theta, X, weights):
        return RunningMeans(self.energy, self._own(theta), X, weights)

    def watch(self, theta, X, weights, n_steps, state):
        state.update(self.energy, self._own(theta), X, weights, n_steps)

    def pull(self, theta, value, gradient, state):
        self.energy.centre_gradient(self._own(theta), self._own(gradient), state.blocks)
        return value, gradient

    def move(self, theta, change, state):
        self.energy.centre_change(self._own(theta), self._own(change), state.blocks)

    def _own(self, vector):
        return vector[: self.energy.layout.size]
