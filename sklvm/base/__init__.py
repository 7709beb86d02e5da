"""What estimators share: scores, tags, training, and log Z."""

from sklvm.base._automatic_optimizer import AutomaticOptimizerMixin
from sklvm.base._binary_rows import binary_rows
from sklvm.base._checks import FLOATS, check_count, check_latent_rows
from sklvm.base._conditional_log_partition import ConditionalLogPartition
from sklvm.base._constant_log_partition import ConstantLogPartition
from sklvm.base._data import check_data, has_finite_squares
from sklvm.base._energy_based_model import EnergyBasedModel, LatentEnergyBasedModel
from sklvm.base._estimators import DensityModel, LatentVariableModel, PackageMixin
from sklvm.base._floating_point import FloatingPointMixin
from sklvm.base._iterative_model import IterativeModel
from sklvm.base._normalized_score import NormalizedScoreMixin
from sklvm.base._random_state import generator_from
from sklvm.base._row_blocks import fill_row_blocks, map_row_blocks, row_blocks
from sklvm.base._sampling import N_ANNEALING_TEMPERATURES, SamplingMixin
from sklvm.base._statistics_model import StatisticsModel
from sklvm.base._trained_model import FittedEnergy, TrainedLatentVariableModel, TrainedModel

__all__ = [
    "FLOATS",
    "N_ANNEALING_TEMPERATURES",
    "AutomaticOptimizerMixin",
    "ConditionalLogPartition",
    "ConstantLogPartition",
    "DensityModel",
    "EnergyBasedModel",
    "FittedEnergy",
    "FloatingPointMixin",
    "IterativeModel",
    "LatentEnergyBasedModel",
    "LatentVariableModel",
    "NormalizedScoreMixin",
    "PackageMixin",
    "SamplingMixin",
    "StatisticsModel",
    "TrainedLatentVariableModel",
    "TrainedModel",
    "binary_rows",
    "check_count",
    "check_data",
    "check_latent_rows",
    "fill_row_blocks",
    "generator_from",
    "has_finite_squares",
    "map_row_blocks",
    "row_blocks",
]
