"""How many of a graph's spanning trees each edge is part of."""

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

__all__ = ["edge_appearances"]

_MAX_SITES_OF_RESISTANCES = 400
_MIN_TREES = 8


@lru_cache(maxsize=8)
def edge_appearances(graph):
    """The share of spanning trees (forests, where the graph falls apart) with each edge.

    On few sites all spanning trees count alike, and an edge's share is the effective resistance
    between its ends (Kirchhoff). On many it is the share in a family of trees, each of which takes
    the edges first that were used least before.

    Parameters
    ----------
    graph : SiteGraph

    Returns
    -------
    shares : ndarray of shape (n_edges,)
        In (0, 1]; 1 for edges without which the graph would fall apart.
    """
    if graph.n_sites <= _MAX_SITES_OF_RESISTANCES:
        return _effective_resistances(graph)
    rng = np.random.default_rng(0)
    counts = np.zeros(graph.n_edges)
    n_trees = 0
    while n_trees < _MIN_TREES or counts.min() == 0:
        weights = 1 + counts + 0.9 * rng.random(graph.n_edges)
        matrix = csr_array((weights, graph.edges.T), shape=(graph.n_sites,) * 2)
        tree = minimum_spanning_tree(matrix).tocoo()
        place = csr_array((np.arange(1.0, graph.n_edges + 1), graph.edges.T), shape=matrix.shape)
        counts[np.asarray(place[tree.coords]).astype(np.int64).ravel() - 1] += 1
        n_trees += 1
    return counts / n_trees


def _effective_resistances(graph):
    first, second = graph.edges.T
    laplacian = np.diag(np.diff(graph.starts).astype(float))
    laplacian[first, second] -= 1
    laplacian[second, first] -= 1
    # Constants on each connected part are its null space; with them added it can be inverted.
    adjacency = csr_array((np.ones(graph.n_edges), (first, second)), shape=laplacian.shape)
    _, part = connected_components(adjacency, directed=False)
    inverse = np.linalg.inv(laplacian + (part[:, np.newaxis] == part))
    diagonal = np.diag(inverse)
    return np.clip(diagonal[first] + diagonal[second] - 2 * inverse[first, second], 1e-12, 1.0)
