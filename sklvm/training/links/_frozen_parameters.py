"""Parameters that stay as they are."""

from sklvm.training.links._base import Link

__all__ = ["FrozenParameters"]


class FrozenParameters(Link):
    """Sets the gradient of some parameters to zero, so that no optimiser moves them.

    It has to be the last link that changes gradients, and it has to be there from the first step:
    an optimiser with momentum would otherwise go on moving the parameters.

    Parameters
    ----------
    layout : ParameterLayout
        Of all parameters.
    names : iterable of str
        The parameters that stay as they are.
    asked_by : str
        The setting that asks for it, for error messages.
    """

    def __init__(self, layout, names, asked_by):
        self.layout, self.names, self.asked_by = layout, tuple(names), asked_by

    def pull(self, theta, value, gradient, state):
        views = self.layout.views(gradient)
        for name in self.names:
            views[name][...] = 0
        return value, gradient
