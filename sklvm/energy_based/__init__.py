"""Energy-based models as estimators."""

from sklvm.energy_based._base import EnergyBasedModel
from sklvm.energy_based._deep_energy_model import DeepEnergyModel

__all__ = ["DeepEnergyModel", "EnergyBasedModel"]
