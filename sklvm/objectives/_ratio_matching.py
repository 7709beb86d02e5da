"""Ratio matching."""

import numpy as np

from sklvm.kernels import sigmoid
from sklvm.objectives._site_objective import SiteObjective

__all__ = ["RatioMatching"]


class RatioMatching(SiteObjective):
    """J(θ) = E_x[Σ_j g(p(x)/p(x with bit j flipped))²], g(u) = 1/(1 + u) (Hyvärinen, 2007) [1]_.

    Score matching for binary data: up to a constant, the squared distance between the ratios
    p(x)/p(x̄_j) of model and data, each mapped into [0, 1] by g. Consistent, free of log Z, and
    deterministic. Unlike in pseudo-likelihood, a bit that the model is sure of and wrong about
    costs at most 1, and moves it little. For units of more than two states, the sum runs over all
    other states of each unit.

    References
    ----------
    .. [1] Hyvärinen, "Some extensions of score matching", Computational Statistics & Data Analysis
       51 (2007).

    Examples
    --------
    >>> from sklvm.objectives import RatioMatching
    >>> RatioMatching()
    RatioMatching()
    """

    def _loss(self, logits, states):
        # g(p(x)/p(x̄)) = s(t_l − t_x) for every other state l; the term of x itself is constant.
        excess = logits - np.take_along_axis(logits, states, 2)
        wrong = sigmoid(excess)
        slope = 2 * wrong**2 * sigmoid(-excess)
        np.put_along_axis(wrong, states, 0, 2)
        np.put_along_axis(slope, states, 0, 2)
        np.put_along_axis(slope, states, -slope.sum(axis=2, keepdims=True), 2)
        return (wrong**2).sum(axis=2), slope
