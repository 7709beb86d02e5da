"""sklvm: latent-variable models for scikit-learn."""

from sklvm.anomaly import DensityOutlierDetector
from sklvm.covariance import ConstrainedGaussian, ZCAWhitener
from sklvm.energy_based import BernoulliRBM, DeepEnergyModel, GaussianRBM
from sklvm.sparse_coding import ARDSparseCoder, DictionaryLearner, SparseCoder
from sklvm.variational import BinaryLatentVAE, SigmoidAutoencoder, VAETransformer

__all__ = [
    "ARDSparseCoder",
    "BernoulliRBM",
    "BinaryLatentVAE",
    "ConstrainedGaussian",
    "DeepEnergyModel",
    "DensityOutlierDetector",
    "DictionaryLearner",
    "GaussianRBM",
    "SigmoidAutoencoder",
    "SparseCoder",
    "VAETransformer",
    "ZCAWhitener",
]

__version__ = "0.1.0.dev0"
