"""sklvm: latent-variable models for scikit-learn."""

from sklvm.energy_based import DeepEnergyModel

__all__ = ["DeepEnergyModel"]

__version__ = "0.1.0.dev0"
