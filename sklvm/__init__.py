"""sklvm: latent-variable models for scikit-learn."""

from sklvm.anomaly import DensityOutlierDetector
from sklvm.covariance import ConstrainedGaussian, ZCAWhitener
from sklvm.energy_based import BernoulliRBM, DeepEnergyModel, GaussianRBM
from sklvm.variational import VAETransformer

__all__ = [
    "BernoulliRBM",
    "ConstrainedGaussian",
    "DeepEnergyModel",
    "DensityOutlierDetector",
    "GaussianRBM",
    "VAETransformer",
    "ZCAWhitener",
]

__version__ = "0.1.0.dev0"
