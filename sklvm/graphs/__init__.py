"""Sites and their neighbours: grids and other graphs, and exact sums over all labels."""

from sklvm.graphs._elimination import Elimination, find_elimination
from sklvm.graphs._masks import lattice_mask, resolve_mask
from sklvm.graphs._site_graph import SiteGraph, grid_graph
from sklvm.graphs._spanning_trees import edge_appearances
from sklvm.graphs._symmetric_pattern import SymmetricPattern

__all__ = [
    "Elimination",
    "SiteGraph",
    "SymmetricPattern",
    "edge_appearances",
    "find_elimination",
    "grid_graph",
    "lattice_mask",
    "resolve_mask",
]
