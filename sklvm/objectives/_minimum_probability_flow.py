"""Minimum probability flow."""

import numpy as np

from sklvm.objectives._site_objective import SiteObjective

__all__ = ["MinimumProbabilityFlow"]


# Of ½(t_l − t_x): beyond it eᵛ goes on as its tangent, lest it overflow.
_LARGEST = 30.0


class MinimumProbabilityFlow(SiteObjective):
    """J(θ) = E_x[Σ_x̄ √(p(x̄)/p(x))], x̄ all rows that differ from x in one unit [1]_.

    A master equation whose equilibrium is the model lets probability flow from x to its neighbours
    x̄ at these rates; J is the rate at which the data's distribution begins to change. Consistent,
    free of log Z, deterministic, and convex where the energy is linear in θ. A neighbour that the
    model takes for more probable than a row of the data, by u nats, costs e^(u/2): more than in
    pseudo-likelihood (u) and in ratio matching (at most 1), so that it is the least robust of the
    three. From 60 nats on the cost is linear in u.

    In the paper neighbours that are data themselves are left out. They stay here: the sum is then
    one over rows, and has its minimum at the same place where the model can be right.

    References
    ----------
    .. [1] Sohl-Dickstein, Battaglino, DeWeese, "Minimum probability flow learning", ICML 2011,
       equation 9.

    Examples
    --------
    >>> from sklvm.objectives import MinimumProbabilityFlow
    >>> MinimumProbabilityFlow()
    MinimumProbabilityFlow()
    """

    def _loss(self, logits, states):
        # √(p(x̄)/p(x)) = exp ½(t_l − t_x) for every other state l; the term of x itself is constant.
        half = 0.5 * (logits - np.take_along_axis(logits, states, 2))
        flow = np.exp(np.minimum(half, _LARGEST))
        np.put_along_axis(flow, states, 0, 2)
        slope = 0.5 * flow
        flow *= 1 + np.maximum(half - _LARGEST, 0)
        np.put_along_axis(slope, states, -slope.sum(axis=2, keepdims=True), 2)
        return flow.sum(axis=2), slope
