"""Random fields: labels that depend on their neighbours, on chains and on grids."""

from sklvm.random_fields._chain_conditional_random_field import ChainConditionalRandomField

__all__ = ["ChainConditionalRandomField"]
