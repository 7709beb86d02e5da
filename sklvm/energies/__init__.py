"""Energies E(x; θ) = −log p̃(x; θ); mathematics only."""

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
from sklvm.energies._decoder_energy import DecoderEnergy
from sklvm.energies._deep_energy import DeepEnergy
from sklvm.energies._gaussian_energy import GaussianEnergy
from sklvm.energies._gaussian_mixture_energy import GaussianMixtureEnergy
from sklvm.energies._gaussian_rbm import GaussianRBMEnergy
from sklvm.energies._likelihoods import BernoulliLikelihood, GaussianLikelihood
from sklvm.energies._scale import Scale

__all__ = [
    "BernoulliLikelihood",
    "BernoulliRBMEnergy",
    "BinaryFactorEnergy",
    "BitFlips",
    "BlockGibbs",
    "Centred",
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
    "GaussianEnergy",
    "GaussianLikelihood",
    "GaussianMixtureEnergy",
    "GaussianRBMEnergy",
    "HiddenMeans",
    "Joint",
    "LatentStates",
    "Marginal",
    "Scale",
    "Score",
    "SharedInputs",
    "Tempered",
    "Tractable",
]
