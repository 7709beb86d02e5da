"""What makes codes sparse: penalties, by value and prox, and constraints."""

from sklvm.sparse_coding.penalties._base import Constraint, PowerPenalty
from sklvm.sparse_coding.penalties._constraints import AtMostNonzero, AtMostResidual, BasisPursuit
from sklvm.sparse_coding.penalties._elastic_net import ElasticNet
from sklvm.sparse_coding.penalties._l0 import L0
from sklvm.sparse_coding.penalties._l1 import L1
from sklvm.sparse_coding.penalties._lq import Lq

__all__ = [
    "L0",
    "L1",
    "PENALTIES",
    "AtMostNonzero",
    "AtMostResidual",
    "BasisPursuit",
    "Constraint",
    "ElasticNet",
    "Lq",
    "PowerPenalty",
]

PENALTIES = {
    "at_most_nonzero": AtMostNonzero,
    "at_most_residual": AtMostResidual,
    "basis_pursuit": BasisPursuit,
    "elastic_net": ElasticNet,
    "l0": L0,
    "l1": L1,
    "lq": Lq,
}
