"""sklvm: latent-variable models for scikit-learn."""

from sklvm.anomaly import DensityOutlierDetector
from sklvm.covariance import ConstrainedGaussian, ZCAWhitener
from sklvm.energy_based import DeepEnergyModel
from sklvm.sparse_coding import SparseCoder

__all__ = [
    "ConstrainedGaussian",
    "DeepEnergyModel",
    "DensityOutlierDetector",
    "SparseCoder",
    "ZCAWhitener",
]

__version__ = "0.1.0.dev0"
