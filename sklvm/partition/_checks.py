"""Whether log Z of an energy can be computed or estimated, checked before training."""

from sklvm.partition._annealed_importance_sampling import AnnealedImportanceSampling
from sklvm.partition._log_partition import can_be_exact
from sklvm.partition._paths import can_anneal

__all__ = ["check_partition"]

PARTITIONS = ("auto", "exact", "ais", "none")


def check_partition(energy, partition):
    """Raise a ``ValueError`` where `partition` asks for a log Z that the energy does not allow.

    Parameters
    ----------
    energy : Energy
    partition : {"auto", "exact", "ais", "none"} or AnnealedImportanceSampling
        As in estimators.
    """
    if isinstance(partition, AnnealedImportanceSampling):
        partition.validate()
        partition = "ais"
    if not isinstance(partition, str) or partition not in PARTITIONS:
        raise ValueError(
            f"partition must be one of {PARTITIONS} or an AnnealedImportanceSampling, got "
            f"{partition!r}."
        )
    name = type(energy).__name__
    if partition == "exact" and not can_be_exact(energy):
        raise ValueError(
            f"partition='exact' needs a log Z in closed form, or a sum of at most 2^20 terms, as "
            f"over the states of 20 binary units, and {name} has neither. Use partition='ais', or "
            "'none' to score without log Z."
        )
    if partition == "ais" and not can_anneal(energy):
        raise ValueError(
            f"partition='ais' needs a path to anneal along, and {name} has neither the Tempered "
            "and Gibbs nor the Score capability. Use partition='none' to score without log Z."
        )
    if partition == "auto" and not (can_be_exact(energy) or can_anneal(energy)):
        raise ValueError(
            f"log Z of {name} cannot be had: no closed form, no sum of at most 2^20 terms "
            "(the states of 20 binary units), and no path to anneal along (the Tempered "
            "and Gibbs, or the Score capability). Use partition='none' to score without it."
        )
