"""Weight decay."""

from sklvm.training.links._base import Link

__all__ = ["WeightDecay"]


class WeightDecay(Link):
    """Adds ½λ‖W‖² to the criterion, where W are all parameters that the layout calls weights.

    Parameters
    ----------
    weight_decay : float
        λ.
    layout : ParameterLayout
        The layout of all parameters; its ``decayed`` names the weights.
    """

    def __init__(self, weight_decay, layout):
        self.weight_decay = weight_decay
        self.layout = layout

    @property
    def asked_by(self):
        return f"weight_decay={self.weight_decay}"

    def pull(self, theta, value, gradient, state):
        views, out = self.layout.views(theta), self.layout.views(gradient)
        for name in self.layout.decayed:
            W = views[name]
            out[name] += W.dtype.type(self.weight_decay) * W
            if value is not None:
                entries = W.ravel(order="K")
                value += 0.5 * self.weight_decay * float(entries @ entries)
        return value, gradient
