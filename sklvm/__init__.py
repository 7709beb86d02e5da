"""sklvm: latent-variable models for scikit-learn."""

from sklvm.anomaly import DensityOutlierDetector
from sklvm.covariance import ConstrainedGaussian, ZCAWhitener
from sklvm.energy_based import BernoulliRBM, DeepEnergyModel, GaussianRBM

__all__ = [
    "BernoulliRBM",
    "ConstrainedGaussian",
    "DeepEnergyModel",
    "DensityOutlierDetector",
    "GaussianRBM",
    "ZCAWhitener",
]

__version__ = "0.1.0.dev0"
