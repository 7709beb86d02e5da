"""sklvm: latent-variable models for scikit-learn."""

import importlib

from sklvm._version import __version__  # noqa: F401
from sklvm.anomaly import DensityOutlierDetector, LocalDensityEnsemble
from sklvm.covariance import ConstrainedGaussian, ZCAWhitener
from sklvm.energy_based import (
    BernoulliRBM,
    BoltzmannMachine,
    DeepBeliefNetwork,
    DeepBoltzmannMachine,
    DeepEnergyModel,
    GatedRBM,
    GaussianRBM,
    HopfieldNetwork,
    MeanCovarianceRBM,
    SemiRestrictedRBM,
)
from sklvm.mixture import BernoulliMixture, CategoricalMixture, GaussianMixture
from sklvm.random_fields import (
    ChainConditionalRandomField,
    GridConditionalRandomField,
    MarkovRandomField,
)
from sklvm.sparse_coding import (
    AdaptiveDeconvolutionalNetwork,
    ARDSparseCoder,
    ConvolutionalDictionaryLearner,
    ConvolutionalSparseCoder,
    DeconvolutionalNetwork,
    DictionaryLearner,
    LayeredDictionaryLearner,
    LayeredSparseCoder,
    SparseCoder,
    TikhonovDetail,
)
from sklvm.topics import LatentDirichletAllocation, ProbabilisticLatentSemanticAnalysis
from sklvm.variational import BinaryLatentVAE, SigmoidAutoencoder, VAETransformer

__all__ = [
    "ARDSparseCoder",
    "AdaptiveDeconvolutionalNetwork",
    "BernoulliMixture",
    "BernoulliRBM",
    "BinaryLatentVAE",
    "BoltzmannMachine",
    "CategoricalMixture",
    "ChainConditionalRandomField",
    "ConstrainedGaussian",
    "ConvolutionalDictionaryLearner",
    "ConvolutionalSparseCoder",
    "DeconvolutionalNetwork",
    "DeepBeliefNetwork",
    "DeepBoltzmannMachine",
    "DeepEnergyModel",
    "DensityOutlierDetector",
    "DictionaryLearner",
    "GatedRBM",
    "GaussianMixture",
    "GaussianRBM",
    "GridConditionalRandomField",
    "HopfieldNetwork",
    "LatentDirichletAllocation",
    "LayeredDictionaryLearner",
    "LayeredSparseCoder",
    "LocalDensityEnsemble",
    "MarkovRandomField",
    "MeanCovarianceRBM",
    "ProbabilisticLatentSemanticAnalysis",
    "SemiRestrictedRBM",
    "SigmoidAutoencoder",
    "SparseCoder",
    "TikhonovDetail",
    "VAETransformer",
    "ZCAWhitener",
]

# What is useful on its own is imported when it is asked for: ``sklvm.plotting`` needs matplotlib.
_SUBMODULES = (
    "datasets",
    "densities",
    "energies",
    "exceptions",
    "graphs",
    "objectives",
    "optimizers",
    "partition",
    "plotting",
    "posteriors",
    "random_fields",
    "samplers",
    "testing",
)


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted((*__all__, *_SUBMODULES, "__version__"))
