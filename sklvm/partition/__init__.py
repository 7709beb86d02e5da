"""Partition functions: exact sums, annealed importance sampling, and the paths it goes along."""

from sklvm.partition._annealed_importance_sampling import AnnealedImportanceSampling, anneal
from sklvm.partition._checks import check_partition
from sklvm.partition._estimate import PartitionEstimate
from sklvm.partition._log_partition import MAX_ENUMERATED_UNITS, log_partition
from sklvm.partition._paths import (
    GeometricPath,
    SharedInputsPath,
    TemperedPath,
    annealing_path,
    can_anneal,
    fit_reference,
)

__all__ = [
    "MAX_ENUMERATED_UNITS",
    "AnnealedImportanceSampling",
    "GeometricPath",
    "PartitionEstimate",
    "SharedInputsPath",
    "TemperedPath",
    "anneal",
    "annealing_path",
    "can_anneal",
    "check_partition",
    "fit_reference",
    "log_partition",
]
