"""An energy of labels: what every inference takes."""

from functools import cached_property

import numpy as np

from sklvm.graphs import SiteGraph
from sklvm.kernels import pairwise_sweeps

__all__ = ["Marginals", "PairwiseModel"]


class PairwiseModel:
    """Labels z of the sites of a graph, with probability P(z) = exp(−E(z)) / Z.

    ::

        E(z) = Σ_s u_s(z_s) + Σ_{s~t} w_st T_st(z_s, z_t)

    Parameters
    ----------
    unary : array-like of shape (n_sites, n_labels)
        u, in nats: the cost of each label at each site.
    edges : SiteGraph or array-like of int, shape (n_edges, 2)
        Which sites are neighbours; :func:`sklvm.graphs.grid_graph` makes those of an image.
    tables : array-like of shape (n_labels, n_labels) or (n_edges, n_labels, n_labels)
        T, the cost of each pair of labels, in nats; first label: that of the edge's first site.
    weights : array-like of shape (n_edges,), default=None
        w; None: 1.

    Raises
    ------
    ValueError
        If a shape does not fit, or a value is not finite.

    Examples
    --------
    >>> from sklvm.random_fields.inference import PairwiseModel
    >>> model = PairwiseModel([[0, 1.5], [0, 1.5], [3, 0]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> float(model.energy([0, 0, 1]))
    2.0
    """

    def __init__(self, unary, edges, tables, weights=None):
        self.unary = _finite(unary, "unary")
        if self.unary.ndim != 2 or 0 in self.unary.shape:
            raise ValueError(f"unary must have shape (n_sites, n_labels), got {self.unary.shape}.")
        n_sites, n_labels = self.unary.shape
        self.graph = edges if isinstance(edges, SiteGraph) else SiteGraph(n_sites, edges)
        if self.graph.n_sites != n_sites:
            raise ValueError(
                f"unary has {n_sites} sites, and the graph of the edges {self.graph.n_sites}."
            )
        n_edges = self.graph.n_edges
        tables = _finite(tables, "tables")
        if tables.shape not in ((n_labels, n_labels), (n_edges, n_labels, n_labels)):
            raise ValueError(
                f"tables must have shape ({n_labels}, {n_labels}) or ({n_edges}, {n_labels}, "
                f"{n_labels}), got {tables.shape}."
            )
        self.tables = tables.reshape(-1, n_labels, n_labels)
        self.weights = np.ones(n_edges) if weights is None else _finite(weights, "weights")
        if self.weights.shape != (n_edges,):
            raise ValueError(f"weights must have shape ({n_edges},), got {self.weights.shape}.")

    @property
    def n_sites(self):
        return self.graph.n_sites

    @property
    def n_labels(self):
        return self.unary.shape[1]

    def energy(self, labels):
        """E(z) of labels of shape (..., n_sites)."""
        labels = np.asarray(labels)
        first, second = labels[..., self.graph.edges[:, 0]], labels[..., self.graph.edges[:, 1]]
        which = np.arange(self.graph.n_edges) if len(self.tables) != 1 else 0
        unary = self.unary[np.arange(self.n_sites), labels].sum(axis=-1)
        return unary + (self.weights * self.tables[which, first, second]).sum(axis=-1)

    def edge_tables(self):
        """w T of each edge, of shape (n_edges, n_labels, n_labels)."""
        return self.weights[:, np.newaxis, np.newaxis] * self.tables

    def sweeps(self, n_threads=None):
        """Compiled sweeps over the sites."""
        return pairwise_sweeps(self.graph, self.unary, self.tables, self.weights, n_threads)


class Marginals:
    """Probabilities of labels, and what is known of log Z; that is computed when asked for.

    Attributes
    ----------
    sites : ndarray of shape (n_sites, n_labels)
        P(z_s = j), or an approximation.
    edges : ndarray of shape (n_edges, n_labels, n_labels) or None
        P(z_s = i, z_t = j) of each edge (s, t), or an approximation; None: not known.
    log_partition : float or None
        log Z, a bound of it, or an approximation; None: not known.
    bound : {"exact", "lower", "upper", "approximate"} or None
        What ``log_partition`` is.
    n_iter : int
        Sweeps made; 0 where there are none.
    converged : bool
        Whether nothing moved any more.
    state : ndarray or None
        From which the inference of a similar model may start.
    """

    def __init__(self, sites, edges, log_partition, bound, n_iter=0, converged=True, state=None):
        self.sites, self.bound = sites, bound
        self.n_iter, self.converged = n_iter, converged
        self._edges, self._log_partition = edges, log_partition
        self.state = state

    @cached_property
    def edges(self):
        return self._edges() if callable(self._edges) else self._edges

    @cached_property
    def log_partition(self):
        return self._log_partition() if callable(self._log_partition) else self._log_partition


def _finite(values, name):
    values = np.ascontiguousarray(values, dtype=np.float64)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name} must be finite.")
    return values


def row_softmax(values):
    """softmax of each row; of few columns, one column after the other."""
    columns = values.T - values.T.max(axis=0)
    np.exp(columns, out=columns)
    columns /= columns.sum(axis=0)
    return np.ascontiguousarray(columns.T)
