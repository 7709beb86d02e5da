"""Partition functions: exact sums, and annealed importance sampling along a path."""

from sklvm.partition._annealed_importance_sampling import AnnealedImportanceSampling, anneal
from sklvm.partition._checks import check_partition
from sklvm.partition._conditional_log_partition import conditional_log_partition
from sklvm.partition._estimate import PartitionEstimate
from sklvm.partition._log_partition import MAX_TERMS, can_be_exact, log_partition
from sklvm.partition._paths import (
    GeometricPath,
    TemperedPath,
    annealing_path,
    can_anneal,
    fit_reference,
)

__all__ = [
    "MAX_TERMS",
    "AnnealedImportanceSampling",
    "GeometricPath",
    "PartitionEstimate",
    "TemperedPath",
    "anneal",
    "annealing_path",
    "can_anneal",
    "can_be_exact",
    "check_partition",
    "conditional_log_partition",
    "fit_reference",
    "log_partition",
]
