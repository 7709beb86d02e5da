"""Energies E(x; θ) = −log p̃(x; θ) and tractable reference densities: mathematics only."""

from sklvm.energies._base import (
    BitFlips,
    BlockGibbs,
    Centred,
    Decoder,
    DirectionalCurvature,
    Divergence,
    Energy,
    Enumerable,
    ExactLikelihood,
    ExactPosterior,
    FreeEnergy,
    HiddenMeans,
    Joint,
    LatentStates,
    Marginal,
    Score,
    SharedInputs,
    Tempered,
    Tractable,
)
from sklvm.energies._bernoulli_rbm import BernoulliRBMEnergy
from sklvm.energies._binary_factor_energy import BinaryFactorEnergy
from sklvm.energies._chow_liu_density import ChowLiuDensity
from sklvm.energies._decoder_energy import DecoderEnergy
from sklvm.energies._deep_energy import DeepEnergy
from sklvm.energies._gaussian_density import GaussianDensity
from sklvm.energies._gaussian_energy import GaussianEnergy
from sklvm.energies._gaussian_mixture_density import GaussianMixtureDensity
from sklvm.energies._gaussian_mixture_energy import GaussianMixtureEnergy
from sklvm.energies._gaussian_rbm import GaussianRBMEnergy
from sklvm.energies._independent_bernoulli_density import IndependentBernoulliDensity
from sklvm.energies._likelihoods import BernoulliLikelihood, GaussianLikelihood

__all__ = [
    "BernoulliLikelihood",
    "BernoulliRBMEnergy",
    "BinaryFactorEnergy",
    "BitFlips",
    "BlockGibbs",
    "Centred",
    "ChowLiuDensity",
    "Decoder",
    "DecoderEnergy",
    "DeepEnergy",
    "DirectionalCurvature",
    "Divergence",
    "Energy",
    "Enumerable",
    "ExactLikelihood",
    "ExactPosterior",
    "FreeEnergy",
    "GaussianDensity",
    "GaussianEnergy",
    "GaussianLikelihood",
    "GaussianMixtureDensity",
    "GaussianMixtureEnergy",
    "GaussianRBMEnergy",
    "HiddenMeans",
    "IndependentBernoulliDensity",
    "Joint",
    "LatentStates",
    "Marginal",
    "Score",
    "SharedInputs",
    "Tempered",
    "Tractable",
]
