"""Exact sums over the labels of all sites, one site after the other."""

import heapq
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

__all__ = ["Elimination", "find_elimination"]


class Elimination:
    """Sites summed out one by one, for energies E(z) = Σ u_s(z_s) + Σ_{s~t} T_st(z_s, z_t).

    To sum out a site joins its neighbours, those that are left, in one table: L^k entries for k of
    them. On a chain or a tree k is 1, on a strip its width: the transfer matrix, one site at a
    time. All n energies of a batch share the graph. Everything is done with logarithms.

    Parameters
    ----------
    graph : SiteGraph
    order : sequence of int
        The sites in the order in which they are summed out.

    Attributes
    ----------
    width : int
        The largest k.

    References
    ----------
    Dechter, "Bucket elimination", Artificial Intelligence 113 (1999); Kramers and Wannier, Phys.
    Rev. 60 (1941), on the transfer matrix.
    """

    def __init__(self, graph, order):
        self.graph = graph
        self._steps, self.width = _steps(graph, order, graph.n_sites)

    def log_partition(self, unary, tables):
        """log Z of each energy.

        Parameters
        ----------
        unary : ndarray of shape (n, n_sites, n_labels)
        tables : ndarray of shape (n or 1, n_edges, n_labels, n_labels)
            First label: that of the edge's first site.

        Returns
        -------
        log_partition : ndarray of shape (n,)
        """
        return self._collect(unary, tables, _log_sum_exp)[2]

    def marginals(self, unary, tables):
        """log Z, and the probabilities of labels of sites and of pairs on edges.

        Returns
        -------
        log_partition : ndarray of shape (n,)
        sites : ndarray of shape (n, n_sites, n_labels)
        edges : ndarray of shape (n, n_edges, n_labels, n_labels)
        """
        cliques, messages, log_partition = self._collect(unary, tables, _log_sum_exp)
        n, _, n_labels = unary.shape
        sites = np.empty(unary.shape)
        edges = np.empty((n, self.graph.n_edges, n_labels, n_labels))
        # Of each clique the log-probability of its neighbours' labels, as the parent knows it.
        outer = {}
        for i in reversed(range(len(self._steps))):
            step = self._steps[i]
            log_p = cliques[i] - messages[i][:, np.newaxis]
            if step.others:
                log_p = log_p + outer.pop(i)[:, np.newaxis]
            p = np.exp(log_p)
            for child in step.children:
                kept = [0] + [1 + step.scope.index(s) for s in self._steps[child].others]
                gone = tuple(a for a in range(log_p.ndim) if a not in kept)
                summed = p.sum(axis=gone) if gone else p
                # What is left lies in the order of the scope; the child wants its own.
                rest = [a for a in range(log_p.ndim) if a in kept]
                with np.errstate(divide="ignore"):
                    outer[child] = np.log(summed.transpose([rest.index(a) for a in kept]))
            sites[:, step.site] = p.sum(axis=tuple(range(2, p.ndim)))
            for edge, other, is_first in step.edges:
                axis = 1 + step.scope.index(other)
                pair = p.sum(axis=tuple(a for a in range(2, p.ndim) if a != axis))
                edges[:, edge] = pair if is_first else pair.transpose(0, 2, 1)
        return log_partition, sites, edges

    def best(self, unary, tables):
        """Labels of least energy, of shape (n, n_sites)."""
        cliques, _, _ = self._collect(unary, tables, lambda table: table.max(axis=1))
        return self._back(cliques, len(unary), lambda scores: scores.argmax(axis=1))

    def sample(self, unary, tables, n_draws, rng):
        """Independent draws of the labels of one energy, of shape (n_draws, n_sites)."""
        cliques, _, _ = self._collect(unary, tables, _log_sum_exp)

        def draw(scores):
            return (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)

        return self._back(cliques, n_draws, draw)

    def _back(self, cliques, n, choose):
        """Labels of the sites, each chosen given those summed out after it."""
        labels = np.empty((n, self.graph.n_sites), dtype=np.int64)
        for step, clique in zip(reversed(self._steps), reversed(cliques), strict=True):
            rows = np.arange(n) if len(clique) == n else np.zeros(n, dtype=np.int64)
            # Advanced indices around the slice of the site's own label: it comes last.
            scores = clique[(rows, slice(None), *(labels[:, s] for s in step.others))]
            labels[:, step.site] = choose(scores)
        return labels

    def _collect(self, unary, tables, reduce):
        """The table of each step, its message, and the sum of the messages of the roots."""
        cliques, messages = [], []
        total = np.zeros(len(unary))
        for step in self._steps:
            table = _broadcast(-unary[:, step.site], step.scope, [step.site])
            for edge, other, is_first in step.edges:
                pair = tables[:, edge] if is_first else tables[:, edge].transpose(0, 2, 1)
                table = table - _broadcast(pair, step.scope, [step.site, other])
            for child in step.children:
                table = table + _broadcast(messages[child], step.scope, self._steps[child].others)
            message = reduce(table)
            cliques.append(table)
            messages.append(message)
            if not step.others:
                total = total + message
        return cliques, messages, total


class _Step:
    """A site that is summed out, with the sites of its table: itself, then its neighbours."""

    def __init__(self, site, others):
        self.site, self.others = site, others
        self.scope = [site, *others]
        self.edges, self.children = [], []


def find_elimination(graph, max_width):
    """An order in which the graph can be summed out, or None where no table would be small enough.

    The order of the sites, that of reverse Cuthill and McKee, and that of least degree are tried.

    Parameters
    ----------
    graph : SiteGraph
    max_width : int
        Most sites that a site may be joined to when it is summed out.

    Returns
    -------
    elimination : Elimination or None
    """
    n = graph.n_sites
    ones = np.ones(2 * graph.n_edges, dtype=np.int8)
    matrix = csr_array((ones, graph.neighbours, graph.starts.astype(np.int32)), shape=(n, n))
    orders = [np.arange(n), reverse_cuthill_mckee(matrix, symmetric_mode=True)]
    if graph.n_edges < n or n <= 400:
        orders.append(_least_degree_order(graph))
    best, width = None, max_width + 1
    for order in orders:
        found = _steps(graph, order, width - 1)
        if found is not None:
            best, width = order, found[1]
    return None if best is None else Elimination(graph, best)


def _steps(graph, order, max_width):
    """Steps and width of an order; None as soon as a site has more neighbours than `max_width`."""
    order = np.asarray(order).tolist()
    position = {site: i for i, site in enumerate(order)}
    left = _neighbour_sets(graph)
    steps, width = [], 0
    for site in order:
        others = sorted(left[site], key=position.__getitem__)
        width = max(width, len(others))
        if width > max_width:
            return None
        for s in others:
            left[s].discard(site)
            left[s].update(others)
            left[s].discard(s)
        steps.append(_Step(site, others))
    for edge, (s, t) in enumerate(graph.edges.tolist()):
        site, other = (s, t) if position[s] < position[t] else (t, s)
        steps[position[site]].edges.append((edge, other, site == s))
    for i, step in enumerate(steps):
        if step.others:
            steps[position[step.others[0]]].children.append(i)
    return steps, width


def _least_degree_order(graph):
    left = _neighbour_sets(graph)
    heap = [(len(neighbours), site) for site, neighbours in enumerate(left)]
    heapq.heapify(heap)
    order, is_done = [], [False] * graph.n_sites
    while heap:
        degree, site = heapq.heappop(heap)
        if is_done[site] or degree != len(left[site]):
            continue
        is_done[site] = True
        order.append(site)
        others = left[site]
        for s in others:
            left[s].discard(site)
            left[s].update(others)
            left[s].discard(s)
            heapq.heappush(heap, (len(left[s]), s))
    return order


def _neighbour_sets(graph):
    limits = graph.starts.tolist()
    neighbours = graph.neighbours.tolist()
    return [set(neighbours[a:b]) for a, b in pairwise(limits)]


def _broadcast(table, scope, sites):
    """A table over `sites` (after the axis of the batch) with an axis for each site of `scope`."""
    axes = [scope.index(s) for s in sites]
    order = np.argsort(axes)
    table = table.transpose([0, *(1 + order)])
    shape = [1] * len(scope)
    for axis, size in zip(np.sort(axes), table.shape[1:], strict=True):
        shape[axis] = size
    return table.reshape(len(table), *shape)


def _log_sum_exp(table):
    """log Σ exp over axis 1; finite as long as one entry is."""
    top = table.max(axis=1, keepdims=True)
    total = np.exp(table - top).sum(axis=1)
    return np.log(total) + top[:, 0]
