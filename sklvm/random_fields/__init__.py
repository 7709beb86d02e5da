"""Random fields: labels that depend on their neighbours, on chains and on grids."""

from sklvm.random_fields._chain_conditional_random_field import ChainConditionalRandomField
from sklvm.random_fields._grid_conditional_random_field import GridConditionalRandomField
from sklvm.random_fields._markov_random_field import MarkovRandomField

__all__ = ["ChainConditionalRandomField", "GridConditionalRandomField", "MarkovRandomField"]
