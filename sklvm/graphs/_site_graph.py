"""Sites and their neighbours: the structure of a random field."""

from functools import cached_property
from math import prod

import numpy as np

from sklvm.kernels import greedy_colours

__all__ = ["SiteGraph", "grid_graph"]

_STEPS = {4: [(0, 1), (1, 0)], 8: [(0, 1), (1, 0), (1, 1), (1, -1)]}


class SiteGraph:
    """An undirected graph of sites.

    Parameters
    ----------
    n_sites : int
    edges : array-like of int, shape (n_edges, 2)
        Pairs of sites, each pair once, in either order.

    Attributes
    ----------
    n_sites : int
    edges : ndarray of int64, shape (n_edges, 2)
    starts : ndarray of int64, shape (n_sites + 1,)
        Slots ``starts[s]`` to ``starts[s + 1]`` are the neighbours of site s.
    neighbours : ndarray of int32, shape (2 n_edges,)
        The neighbour of each slot.
    slot_edges, slot_ends : ndarray of int32, shape (2 n_edges,)
        The edge of each slot, and which of its ends the slot's own site is, 0 or 1.
    reverse : ndarray of int32, shape (2 n_edges,)
        The slot of the same edge at its other end.
    image_shape : tuple of int or None
        (height, width) where the sites are a grid with four neighbours each.
    colours : ndarray of int32, shape (n_sites,)
        Neighbours have different ones.
    sites : ndarray of int32, shape (n_sites,)
        In the order of their colours; ``colour_starts`` says where each begins.

    Raises
    ------
    ValueError
        For an edge from a site to itself, an edge given twice, or a site out of range.

    Examples
    --------
    >>> from sklvm.graphs import SiteGraph
    >>> graph = SiteGraph(4, [(0, 1), (1, 2), (2, 3)])
    >>> graph.neighbours[graph.starts[1]:graph.starts[2]], graph.colours
    (array([0, 2], dtype=int32), array([0, 1, 0, 1], dtype=int32))
    """

    def __init__(self, n_sites, edges):
        edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
        if edges.size and not (0 <= edges.min() and edges.max() < n_sites):
            raise ValueError(
                f"edges must join sites 0 to {n_sites - 1}, got {edges.min()} to {edges.max()}."
            )
        own = edges[:, 0] == edges[:, 1]
        if np.any(own):
            raise ValueError(f"edges must join different sites, got {edges[own][0].tolist()}.")
        keys = edges.min(axis=1) * n_sites + edges.max(axis=1)
        unique, counts = np.unique(keys, return_counts=True)
        if np.any(counts > 1):
            pair = divmod(int(unique[counts > 1][0]), n_sites)
            raise ValueError(f"edges must have each pair once, got {list(pair)} more than once.")
        self.n_sites, self.edges, self.image_shape = int(n_sites), edges, None
        own_sites = edges.ravel()
        order = np.argsort(own_sites, kind="stable")
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(own_sites, minlength=n_sites))])
        self.neighbours = edges[:, ::-1].ravel()[order].astype(np.int32)
        self.slot_edges = (order // 2).astype(np.int32)
        self.slot_ends = (order % 2).astype(np.int32)
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        self.reverse = place[order ^ 1]

    @property
    def n_edges(self):
        return len(self.edges)

    @cached_property
    def colours(self):
        return greedy_colours(self.starts, self.neighbours)

    @cached_property
    def sites(self):
        return np.argsort(self.colours, kind="stable").astype(np.int32)

    @cached_property
    def colour_starts(self):
        return np.concatenate([[0], np.cumsum(np.bincount(self.colours))]).astype(np.int64)


def grid_graph(image_shape, neighbourhood=4):
    """The sites of an image, row by row, each joined to its neighbours.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width).
    neighbourhood : {4, 8}, default=4
        Whether diagonal neighbours count as well.

    Returns
    -------
    graph : SiteGraph
        Edges to the right come first, then those downwards, then the two diagonals; each from the
        upper or left site to the other.

    Examples
    --------
    >>> from sklvm.graphs import grid_graph
    >>> grid_graph((2, 2)).edges.tolist()
    [[0, 1], [2, 3], [0, 2], [1, 3]]
    """
    height, width = image_shape
    numbers = np.arange(prod(image_shape)).reshape(height, width)
    edges = []
    for down, right in _STEPS[neighbourhood]:
        above = numbers[: height - down, max(0, -right) : width - max(0, right)]
        below = numbers[down:, max(0, right) : width + min(0, right)]
        edges.append(np.stack([above.ravel(), below.ravel()], axis=1))
    graph = SiteGraph(numbers.size, np.concatenate(edges))
    graph.image_shape = (height, width) if neighbourhood == 4 else None
    return graph
