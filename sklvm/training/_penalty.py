"""Weight decay, and a target for how often hidden units are on."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Penalty"]


@dataclass(frozen=True)
class Penalty:
    """½ weight_decay ‖W‖², and the cross-entropy of the hidden units' mean activity q to a target.

    The cross-entropy's derivative with respect to a unit's input is q − target; it moves the biases
    alone, q being a running mean (Hinton, "A practical guide to training restricted Boltzmann
    machines", 2010, section 11). It is no part of the criterion's value.

    Attributes
    ----------
    weight_decay : float, default=0.0
    sparsity_target : float, default=None
        None: no such term.
    sparsity_cost : float, default=0.0
        Its weight.
    """

    weight_decay: float = 0.0
    sparsity_target: float | None = None
    sparsity_cost: float = 0.0

    def add(self, energy, theta, value, gradient, means):
        """Value and gradient with the penalty's, which is written to `gradient`.

        θ and its gradient may go on behind the energy's parameters; `means` are ``RunningMeans``,
        or None without a target.
        """
        if not self.weight_decay and self.sparsity_target is None:
            return value, gradient
        views, out = (
            energy.layout.views(vector[: energy.layout.size]) for vector in (theta, gradient)
        )
        if self.weight_decay:
            W = views["weights"]
            out["weights"] += W.dtype.type(self.weight_decay) * W
            if value is not None:
                value += 0.5 * self.weight_decay * float(np.vdot(W, W))
        if self.sparsity_target is not None:
            excess = means.hidden - theta.dtype.type(self.sparsity_target)
            out["hidden_bias"] += theta.dtype.type(self.sparsity_cost) * excess
        return value, gradient
