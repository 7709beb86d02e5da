"""Labels of least energy by minimum cuts."""

from numbers import Integral

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from sklvm._compat import Interval
from sklvm.random_fields.inference._base import Inference

__all__ = ["GraphCut"]

# Capacities are integers of 32 bits, and so is the flow, which is at most the sum of those of the
# source.
_MAX_FLOW = 2**31 - 2


class GraphCut(Inference):
    """The labels of least energy, for two labels; by α-expansion for more.

    ::

        T(0, 0) + T(1, 1) ≤ T(0, 1) + T(1, 0)                        two labels: submodular
        T(a, b) + T(α, α) ≤ T(a, α) + T(α, b) for all a, b, α        more labels (Potts: w ≥ 0)

    Two labels: the least energy is a minimum cut, found as a maximum flow [1]_. More: for one label
    α after the other, the best change in which any number of sites takes that label is such a cut;
    the end is a minimum against all such changes, within a factor of 2 of the least energy for
    Potts [2]_. Edges may have any weights that keep the inequalities.

    Parameters
    ----------
    max_iter : int, default=100
        Greatest number of rounds over the labels, for more than two.

    Notes
    -----
    ``scipy.sparse.csgraph.maximum_flow`` wants integers of 32 bits: the costs of all sites together
    are rounded to 2³⁰ parts, a part being 10⁻⁴ of the average cost in an image of 10⁵ pixels. The
    labels are those of least energy for the rounded costs.

    References
    ----------
    .. [1] Kolmogorov and Zabih, "What energy functions can be minimized via graph cuts?", IEEE
       Trans. Pattern Anal. Mach. Intell. 26 (2004).
    .. [2] Boykov, Veksler and Zabih, "Fast approximate energy minimization via graph cuts", IEEE
       Trans. Pattern Anal. Mach. Intell. 23 (2001).

    Examples
    --------
    >>> from sklvm.random_fields.inference import GraphCut, PairwiseModel
    >>> model = PairwiseModel([[0, 1.5], [0, 1.5], [3, 0]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> GraphCut().labels(model)
    array([0, 0, 1])
    """

    has_marginals = has_log_partition = False
    _parameter_constraints = {"max_iter": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, max_iter=100):
        self.max_iter = max_iter

    def labels(self, model, random_state=None):
        check_submodular(model)
        tables = model.edge_tables()
        if model.n_labels == 1:
            return np.zeros(model.n_sites, dtype=np.int64)
        if model.n_labels == 2:
            return _minimum_cut(model.unary, model.graph.edges, tables).astype(np.int64)
        labels = model.unary.argmin(axis=1)
        energy = model.energy(labels)
        sites, edges = np.arange(model.n_sites), np.arange(model.graph.n_edges)
        for _ in range(self.max_iter):
            before = energy
            for alpha in range(model.n_labels):
                unary = np.stack([model.unary[sites, labels], model.unary[:, alpha]], axis=1)
                first, second = labels[model.graph.edges.T]
                moves = np.empty((len(edges), 2, 2))
                moves[:, 0, 0] = tables[edges, first, second]
                moves[:, 0, 1] = tables[edges, first, alpha]
                moves[:, 1, 0] = tables[edges, alpha, second]
                moves[:, 1, 1] = tables[edges, alpha, alpha]
                changed = np.where(_minimum_cut(unary, model.graph.edges, moves), alpha, labels)
                # Rounding may have made a change look better than it is.
                if (lower := model.energy(changed)) < energy:
                    labels, energy = changed, lower
            if not energy < before:
                return labels
        self._warn_unconverged(self.max_iter)
        return labels


def check_submodular(model):
    """Raise a ``ValueError`` that names an edge and labels for which a cut is not possible."""
    tables, n_labels = model.tables, model.n_labels
    weights = model.weights[:, np.newaxis]
    worst = None
    for alpha in range(n_labels):
        # T(a, b) + T(α, α) − T(a, α) − T(α, b), of which at two labels one combination counts.
        excess = tables + tables[:, alpha, alpha][:, np.newaxis, np.newaxis]
        excess = excess - tables[:, :, [alpha]] - tables[:, [alpha], :]
        flat = (weights * excess.reshape(len(tables), -1)).reshape(len(weights), n_labels, n_labels)
        tolerance = 1e-9 * (1 + np.abs(flat).max(initial=0))
        if flat.size and flat.max() > tolerance:
            edge, a, b = np.unravel_index(flat.argmax(), flat.shape)
            worst = (edge, a, b, alpha, flat.max())
    if worst is not None:
        edge, a, b, alpha, value = worst
        s, t = model.graph.edges[edge]
        raise ValueError(
            "A graph cut takes a submodular energy: T(a, b) + T(c, c) ≤ T(a, c) + T(c, b). Edge "
            f"({s}, {t}) exceeds that by {value:.4g} at a={a}, b={b}, c={alpha}. Use "
            "BeliefPropagation, MeanField or IteratedConditionalModes."
        )


def _minimum_cut(unary, edges, tables):
    """Binary labels of least energy (Boolean), for submodular tables of shape (m, 2, 2).

    T(s, t) = T00 + (T10 − T00) s + (T11 − T10) t + (T01 + T10 − T00 − T11)(1 − s) t.
    """
    n = len(unary)
    cost = unary[:, 1] - unary[:, 0]  # of label 1
    cost += np.bincount(edges[:, 0], tables[:, 1, 0] - tables[:, 0, 0], minlength=n)
    cost += np.bincount(edges[:, 1], tables[:, 1, 1] - tables[:, 1, 0], minlength=n)
    links = np.maximum(tables[:, 0, 1] + tables[:, 1, 0] - tables[:, 0, 0] - tables[:, 1, 1], 0.0)
    # Label 1 is the sink's side: label 1 at cost c > 0 cuts source → s, label 0 cuts s → sink.
    total = max(np.maximum(cost, 0).sum(), np.maximum(-cost, 0).sum())
    if total == 0 or not links.any():
        return cost < 0
    scale = _MAX_FLOW / (2 * max(total, links.max()))
    source, sink = n, n + 1
    positive, negative = np.flatnonzero(cost > 0), np.flatnonzero(cost < 0)
    tails = np.concatenate([np.full(len(positive), source), negative, edges[:, 0], edges[:, 1]])
    heads = np.concatenate([positive, np.full(len(negative), sink), edges[:, 1], edges[:, 0]])
    capacities = np.concatenate([cost[positive], -cost[negative], links, np.zeros_like(links)])
    capacities = np.round(scale * capacities).astype(np.int32)
    network = csr_array((capacities, (tails, heads)), shape=(n + 2, n + 2))
    flow = maximum_flow(network, source, sink).flow
    residual = network - flow
    residual.data = (residual.data > 0).astype(np.int8)
    residual.eliminate_zeros()
    # Of all minimum cuts the one with the fewest labels 1: what still reaches the sink.
    reaches = np.zeros(n + 2, dtype=bool)
    reaches[breadth_first_order(residual.T.tocsr(), sink, return_predecessors=False)] = True
    return reaches[:n]
