"""Energies E(x; θ) = −log p̃(x; θ); mathematics only."""

from sklvm.energies._base import (
    Centred,
    DirectionalCurvature,
    Energy,
    Laplacian,
    Marginal,
    Score,
    SiteConditionals,
    has_capabilities,
)
from sklvm.energies._bernoulli_rbm import BernoulliRBMEnergy
from sklvm.energies._binary_factor_energy import BinaryFactorEnergy
from sklvm.energies._binary_sites import BinarySites
from sklvm.energies._binary_states import MAX_LISTED_UNITS
from sklvm.energies._boltzmann_machine import BoltzmannMachineEnergy
from sklvm.energies._chain_protocols import ExpectedVisible, Gibbs, Tempered
from sklvm.energies._chain_state import ChainState, block_masks, free_entries
from sklvm.energies._decoder_energy import DecoderEnergy, prior_energy
from sklvm.energies._deep_boltzmann_machine import DeepBoltzmannMachineEnergy
from sklvm.energies._deep_energy import DeepEnergy
from sklvm.energies._gated_gaussian_rbm import GatedGaussianRBMEnergy
from sklvm.energies._gated_rbm import GatedRBMEnergy
from sklvm.energies._gaussian_energy import GaussianEnergy
from sklvm.energies._gaussian_mixture_energy import GaussianMixtureEnergy
from sklvm.energies._gaussian_rbm import GaussianRBMEnergy
from sklvm.energies._hidden_boltzmann_machine import HiddenBoltzmannMachineEnergy
from sklvm.energies._latent_protocols import (
    Bound,
    Decoder,
    EnumeratedMarginal,
    ExactPosterior,
    IndependentBinaryLatents,
    Joint,
    LatentStates,
    PositivePhase,
    VariationalPosterior,
)
from sklvm.energies._likelihoods import BernoulliLikelihood, GaussianLikelihood
from sklvm.energies._linear_latents import LinearLatents, OneHotLatents
from sklvm.energies._mean_covariance_rbm import (
    MeanCovarianceRBMEnergy,
    NormalizedMeanCovarianceRBMEnergy,
)
from sklvm.energies._pair_couplings import PairCouplings
from sklvm.energies._partition_protocols import (
    ClampedPartition,
    ConditionalPartition,
    ExactPartition,
)
from sklvm.energies._potts_energy import PottsEnergy
from sklvm.energies._scale import Scale
from sklvm.energies._semi_restricted_gaussian_rbm import SemiRestrictedGaussianRBMEnergy
from sklvm.energies._semi_restricted_rbm import SemiRestrictedRBMEnergy
from sklvm.energies._two_layers import LinearTempering, TwoLayers

__all__ = [
    "MAX_LISTED_UNITS",
    "BernoulliLikelihood",
    "BernoulliRBMEnergy",
    "BinaryFactorEnergy",
    "BinarySites",
    "BoltzmannMachineEnergy",
    "Bound",
    "Centred",
    "ChainState",
    "ClampedPartition",
    "ConditionalPartition",
    "Decoder",
    "DecoderEnergy",
    "DeepBoltzmannMachineEnergy",
    "DeepEnergy",
    "DirectionalCurvature",
    "Energy",
    "EnumeratedMarginal",
    "ExactPartition",
    "ExactPosterior",
    "ExpectedVisible",
    "GatedGaussianRBMEnergy",
    "GatedRBMEnergy",
    "GaussianEnergy",
    "GaussianLikelihood",
    "GaussianMixtureEnergy",
    "GaussianRBMEnergy",
    "Gibbs",
    "HiddenBoltzmannMachineEnergy",
    "IndependentBinaryLatents",
    "Joint",
    "Laplacian",
    "LatentStates",
    "LinearLatents",
    "LinearTempering",
    "Marginal",
    "MeanCovarianceRBMEnergy",
    "NormalizedMeanCovarianceRBMEnergy",
    "OneHotLatents",
    "PairCouplings",
    "PositivePhase",
    "PottsEnergy",
    "Scale",
    "Score",
    "SemiRestrictedGaussianRBMEnergy",
    "SemiRestrictedRBMEnergy",
    "SiteConditionals",
    "Tempered",
    "TwoLayers",
    "VariationalPosterior",
    "block_masks",
    "free_entries",
    "has_capabilities",
    "prior_energy",
]
