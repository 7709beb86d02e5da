"""Sparse coding: data as combinations of a few atoms of a dictionary."""

from sklvm.sparse_coding._sparse_coder import CodingInfo, SparseCoder
from sklvm.sparse_coding.penalties import (
    L0,
    L1,
    AtMostNonzero,
    AtMostResidual,
    Constraint,
    ElasticNet,
    Lq,
    PowerPenalty,
)

__all__ = [
    "L0",
    "L1",
    "AtMostNonzero",
    "AtMostResidual",
    "CodingInfo",
    "Constraint",
    "ElasticNet",
    "Lq",
    "PowerPenalty",
    "SparseCoder",
]
