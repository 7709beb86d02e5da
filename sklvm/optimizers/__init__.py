"""How the parameters move: SGD, Adam, L-BFGS, how the learning rate falls, and EM."""

from sklvm.optimizers._adam import Adam
from sklvm.optimizers._base import StochasticOptimizer
from sklvm.optimizers._em import EM
from sklvm.optimizers._lbfgs import LBFGS
from sklvm.optimizers._schedules import (
    ConstantRate,
    CosineDecay,
    InverseTimeDecay,
    LinearDecay,
    Schedule,
)
from sklvm.optimizers._sgd import SGD

__all__ = [
    "EM",
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "ConstantRate",
    "CosineDecay",
    "InverseTimeDecay",
    "LinearDecay",
    "Schedule",
    "StochasticOptimizer",
]

OPTIMIZERS = {"sgd": SGD, "adam": Adam, "lbfgs": LBFGS}
