"""Sweeps over the sites of a pairwise energy."""

import numpy as np

from sklvm.kernels._pairwise_loops import MAX_LABELS, Sweeps, colour_loop
from sklvm.kernels._threads import threads_for

__all__ = ["MAX_LABELS", "greedy_colours", "pairwise_sweeps"]


def greedy_colours(starts, neighbours):
    """Colours of the sites of a graph: each has the lowest that no earlier neighbour has.

    Parameters
    ----------
    starts : ndarray of int64, shape (n + 1,)
    neighbours : ndarray of int32, shape (starts[-1],)
        ``neighbours[starts[s]:starts[s + 1]]`` are those of site s.

    Returns
    -------
    colours : ndarray of int32, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import greedy_colours
    >>> greedy_colours(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1], dtype=np.int32))
    array([0, 1, 0], dtype=int32)
    """
    colours = np.zeros(len(starts) - 1, dtype=np.int32)
    degrees = np.diff(starts)
    colour_loop(starts, neighbours, np.zeros(degrees.max(initial=0) + 1, dtype=np.int64), colours)
    return colours


def pairwise_sweeps(graph, unary, tables, weights, n_threads=None):
    """Compiled sweeps over E(z) = Σ_s u_s(z_s) + Σ_{s~t} w_st T_st(z_s, z_t).

    Parameters
    ----------
    graph : SiteGraph
    unary : ndarray of float64, shape (n_sites, n_labels)
    tables : ndarray of float64, shape (1 or n_edges, n_labels, n_labels)
        First label: that of the edge's first site.
    weights : ndarray of float64, shape (n_edges,)
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    sweeps : Sweeps
        With ``iterated_conditional_modes``, ``gibbs``, ``mean_field`` and ``beliefs``; the same
        bits for any number of threads.

    Raises
    ------
    ValueError
        For a shape that does not fit, or more than 256 labels.
    """
    n_labels = unary.shape[1]
    if n_labels > MAX_LABELS:
        raise ValueError(f"At most {MAX_LABELS} labels are possible, got {n_labels}.")
    if unary.shape[0] != graph.n_sites or weights.shape != (graph.n_edges,):
        raise ValueError("unary and weights must have an entry for each site and each edge.")
    if tables.shape[1:] != (n_labels, n_labels) or len(tables) not in (1, graph.n_edges):
        raise ValueError(f"tables must have shape (1 or {graph.n_edges}, L, L).")
    # A site sees a row of the matrix for each label of its neighbour: both orientations.
    both = np.stack([tables.transpose(0, 2, 1), tables], axis=1).reshape(-1, n_labels, n_labels)
    which = 2 * graph.slot_edges if len(tables) > 1 else np.zeros_like(graph.slot_edges)
    return Sweeps(
        np.ascontiguousarray(unary),
        graph.starts,
        graph.neighbours,
        which + graph.slot_ends,
        weights[graph.slot_edges],
        np.ascontiguousarray(both),
        graph.sites,
        graph.colour_starts,
        threads_for(8 * unary.size, n_threads),
    )
