"""sklvm: latent-variable models for scikit-learn."""

from sklvm.covariance import ConstrainedGaussian, ZCAWhitener
from sklvm.energy_based import BernoulliRBM, DeepEnergyModel, GaussianRBM

__all__ = ["BernoulliRBM", "ConstrainedGaussian", "DeepEnergyModel", "GaussianRBM", "ZCAWhitener"]

__version__ = "0.1.0.dev0"
