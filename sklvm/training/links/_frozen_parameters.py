"""Parameters that stay as they are."""

from sklvm.training.links._base import Link

__all__ = ["FrozenParameters"]


class FrozenParameters(Link):
    """Takes the gradient of some parameters away, which no optimiser then moves.

    It has to be the last link that changes gradients, and the optimiser has to begin with it.

    Parameters
    ----------
    layout : ParameterLayout
        Of all parameters.
    names : iterable of str
        Those that stay.
    asked_by : str
        What asks for it, for messages.
    """

    def __init__(self, layout, names, asked_by):
        self.layout, self.names, self.asked_by = layout, tuple(names), asked_by

    def pull(self, theta, value, gradient, state):
        views = self.layout.views(gradient)
        for name in self.names:
            views[name][...] = 0
        return value, gradient
