"""Belief propagation, and its tree-reweighted form."""

from numbers import Integral, Real

import numpy as np
from scipy.special import softmax, xlogy

from sklvm._compat import Interval
from sklvm.graphs import edge_appearances
from sklvm.random_fields.inference._base import Inference
from sklvm.random_fields.inference._pairwise_model import Marginals, row_softmax

__all__ = ["BeliefPropagation"]

# exp of minus this is what a factor is at least, next to the highest of its matrix: ranges of costs
# beyond it count as this.
_MAX_RANGE = 600.0


class BeliefPropagation(Inference):
    """Messages between neighbours, until they agree; exact on trees and chains.

    ::

        m_ts(x_s) ∝ Σ_{x_t} exp(−w T(x_s, x_t)/ρ_st − u_t(x_t)) Π_v m_vt(x_t)^ρ_vt / m_st(x_t)

    With all ρ = 1 it is the sum–product algorithm, whose log Z is Bethe's approximation. With ρ_st
    the share of spanning trees that edge (s, t) is part of, ``tree_reweighted``, log Z is an upper
    bound, once converged [1]_. ``labels`` passes maxima in place of sums (max–product).

    Parameters
    ----------
    tree_reweighted : bool, default=False
        Whether edges count by how many spanning trees they are part of: all alike by effective
        resistances on up to 400 sites, else a family of trees that covers all edges.
    damping : float in [0, 1), default=0.0
        Share of the old message (its logarithm) in the new one. For where messages oscillate.
    max_iter : int, default=1000
        Greatest number of sweeps.
    tol : float, default=1e-6
        Done where no message would change by more, in nats.

    References
    ----------
    .. [1] Wainwright, Jaakkola and Willsky, "A new class of upper bounds on the log partition
       function", IEEE Trans. Inf. Theory 51 (2005), equations 28 and 38.

    Examples
    --------
    >>> from sklvm.random_fields.inference import BeliefPropagation, PairwiseModel
    >>> model = PairwiseModel([[0, 1.5], [0, 1.5], [3, 0]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> marginals = BeliefPropagation().marginals(model)
    >>> marginals.bound, round(marginals.log_partition, 4)  # a tree: exact
    ('approximate', -1.3048)
    """

    _parameter_constraints = {
        "tree_reweighted": ["boolean"],
        "damping": [Interval(Real, 0, 1, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, tree_reweighted=False, damping=0.0, max_iter=1000, tol=1e-6):
        self.tree_reweighted = tree_reweighted
        self.damping = damping
        self.max_iter = max_iter
        self.tol = tol

    def labels(self, model, random_state=None, n_threads=None):
        rho = self._edge_weights(model)
        messages, _, _ = self._messages(model, rho, None, n_threads)
        return self._log_beliefs(model, rho, messages).argmax(axis=1)

    def marginals(self, model, random_state=None, n_threads=None, start=None):
        rho = self._edge_weights(model)
        scaled = _log_factors(model, rho)
        messages, n_iter, converged = self._messages(model, rho, scaled, n_threads, start)
        log_beliefs = self._log_beliefs(model, rho, messages)
        sites = row_softmax(log_beliefs)
        marginals = Marginals(
            sites,
            lambda: _edge_beliefs(model.graph, log_beliefs, messages, scaled),
            lambda: _free_energy(model, rho, sites, marginals.edges),
            "upper" if self.tree_reweighted and converged else "approximate",
            n_iter,
            converged,
            messages,
        )
        return marginals

    def _edge_weights(self, model):
        if not self.tree_reweighted:
            return np.ones(model.graph.n_edges)
        return edge_appearances(model.graph)

    def _log_beliefs(self, model, rho, messages):
        graph = model.graph
        beliefs = -model.unary
        if graph.n_edges:
            weighted = (
                messages if np.all(rho == 1) else rho[graph.slot_edges, np.newaxis] * messages
            )
            has_neighbours = np.diff(graph.starts) > 0
            first = graph.starts[:-1][has_neighbours]
            beliefs[has_neighbours] += np.add.reduceat(weighted, first, axis=0)
        return beliefs

    def _messages(self, model, rho, log_factors, n_threads, start=None):
        """Messages that come in by each slot, of sums, or of maxima where there are no factors."""
        graph, n_labels = model.graph, model.n_labels
        messages = np.zeros((2 * graph.n_edges, n_labels)) if start is None else start.copy()
        if graph.n_edges == 0:
            return messages, 0, True
        factors, factor_of = None, np.zeros(2 * graph.n_edges, dtype=np.int32)
        if log_factors is not None:
            factors, factor_of = _factors(graph, log_factors)
        dirty = np.ones(graph.n_sites, dtype=np.uint8)
        slot_rho, sweeps = rho[graph.slot_edges], model.sweeps(n_threads)
        arguments = (slot_rho, graph.reverse, factors, factor_of, self.damping, self.tol)
        n_iter, converged = 0, False
        while n_iter < self.max_iter and not converged:
            converged = sweeps.beliefs(*arguments, messages, dirty) == 0
            n_iter += 1
        if not converged:
            self._warn_unconverged(self.max_iter)
        return messages, n_iter, converged


def _edge_beliefs(graph, log_beliefs, messages, scaled):
    # What each end of an edge believes without what came by that edge.
    cavity = np.empty((2, graph.n_edges, log_beliefs.shape[1]))
    owners = np.repeat(np.arange(graph.n_sites), np.diff(graph.starts))
    cavity[graph.slot_ends, graph.slot_edges] = log_beliefs[owners] - messages
    return softmax(scaled + cavity[0][:, :, np.newaxis] + cavity[1][:, np.newaxis], axis=(1, 2))


def _free_energy(model, rho, sites, edges):
    """log Z of the beliefs: −⟨E⟩ + Σ_s H_s − Σ_st ρ_st I_st."""

    def negative_entropy(p):
        return xlogy(p, p).sum(axis=tuple(range(1, p.ndim)))

    information = negative_entropy(edges)
    information -= negative_entropy(edges.sum(axis=2)) + negative_entropy(edges.sum(axis=1))
    energy = np.vdot(sites, model.unary) + model.weights @ (edges * model.tables).sum(axis=(1, 2))
    return float(-energy - xlogy(sites, sites).sum() - rho @ information)


def _log_factors(model, rho):
    """−w T / ρ of each edge; one row where all edges are alike."""
    strengths = model.weights / rho
    if len(model.tables) == 1 and len(strengths) and not np.any(strengths != strengths[0]):
        return -strengths[0] * model.tables
    return -strengths[:, np.newaxis, np.newaxis] * model.tables


def _factors(graph, log_factors):
    """Matrices of the slots, a row for each label of the slot's own site, and which is whose."""
    alike = len(log_factors) > 0 and not np.any(log_factors != log_factors[0])
    log_factors = log_factors[:1] if alike else log_factors
    log_factors = log_factors - log_factors.max(axis=(1, 2), keepdims=True)
    factors = np.exp(np.maximum(log_factors, -_MAX_RANGE))
    both = np.stack([factors, factors.transpose(0, 2, 1)], axis=1)
    which = np.zeros_like(graph.slot_edges) if alike else 2 * graph.slot_edges
    both = both.reshape(-1, *factors.shape[1:])
    return np.ascontiguousarray(both), which + graph.slot_ends
