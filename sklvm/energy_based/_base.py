"""The bases of the energy-based estimators."""

from sklvm.base import EnergyBasedModel, LatentEnergyBasedModel

__all__ = ["EnergyBasedModel", "LatentEnergyBasedModel"]
