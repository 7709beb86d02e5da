"""Sites and their neighbours: grids and other graphs, and exact sums over all labels."""

from sklvm.graphs._elimination import Elimination, find_elimination
from sklvm.graphs._site_graph import SiteGraph, grid_graph

__all__ = ["Elimination", "SiteGraph", "find_elimination", "grid_graph"]
