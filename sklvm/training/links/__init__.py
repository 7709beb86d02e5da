"""The links of gradient training: what a step sees, pulls and moves, one idea a file."""

from sklvm.training.links._base import Link
from sklvm.training.links._centring import Centring
from sklvm.training.links._completed_gaps import CompletedGaps
from sklvm.training.links._drawn_bits import DrawnBits
from sklvm.training.links._frozen_parameters import FrozenParameters
from sklvm.training.links._link_chain import LinkChain
from sklvm.training.links._projection import Projection, ShortenedStep
from sklvm.training.links._sparsity_target import SparsityTarget
from sklvm.training.links._weight_decay import WeightDecay

__all__ = [
    "Centring",
    "CompletedGaps",
    "DrawnBits",
    "FrozenParameters",
    "Link",
    "LinkChain",
    "Projection",
    "ShortenedStep",
    "SparsityTarget",
    "WeightDecay",
]
