"""Training criteria: what the optimiser minimises over θ."""

from sklvm.objectives._autoencoder_loss import AutoencoderLoss
from sklvm.objectives._base import Objective
from sklvm.objectives._capabilities import (
    check_capabilities,
    describe_requirements,
    missing_capabilities,
    suitable_objectives,
)
from sklvm.objectives._conditional_noise_contrastive import ConditionalNoiseContrastiveEstimation
from sklvm.objectives._contrastive_divergence import ContrastiveDivergence
from sklvm.objectives._denoising_score_matching import DenoisingScoreMatching
from sklvm.objectives._encoder_objective import EncoderObjective
from sklvm.objectives._evidence_lower_bound import EvidenceLowerBound
from sklvm.objectives._importance_weighted_bound import ImportanceWeightedBound
from sklvm.objectives._maximum_likelihood import MaximumLikelihood
from sklvm.objectives._minimum_probability_flow import MinimumProbabilityFlow
from sklvm.objectives._noise_contrastive import NoiseContrastiveEstimation
from sklvm.objectives._parallel_tempering import ParallelTempering
from sklvm.objectives._persistent_contrastive_divergence import PersistentContrastiveDivergence
from sklvm.objectives._pseudo_likelihood import PseudoLikelihood
from sklvm.objectives._ratio_matching import RatioMatching
from sklvm.objectives._reconstruction_error import (
    DenoisingReconstructionError,
    PointPosteriorBound,
    ReconstructionError,
)
from sklvm.objectives._score_matching import ScoreMatching
from sklvm.objectives._sliced_score_matching import SlicedScoreMatching
from sklvm.objectives._variational_bound import VariationalBound
from sklvm.objectives._variational_noise_contrastive import (
    VariationalNoiseContrastiveEstimation,
)

__all__ = [
    "OBJECTIVES",
    "RECONSTRUCTION_OBJECTIVES",
    "AutoencoderLoss",
    "ConditionalNoiseContrastiveEstimation",
    "ContrastiveDivergence",
    "DenoisingReconstructionError",
    "DenoisingScoreMatching",
    "EncoderObjective",
    "EvidenceLowerBound",
    "ImportanceWeightedBound",
    "MaximumLikelihood",
    "MinimumProbabilityFlow",
    "NoiseContrastiveEstimation",
    "Objective",
    "ParallelTempering",
    "PersistentContrastiveDivergence",
    "PointPosteriorBound",
    "PseudoLikelihood",
    "RatioMatching",
    "ReconstructionError",
    "ScoreMatching",
    "SlicedScoreMatching",
    "VariationalBound",
    "VariationalNoiseContrastiveEstimation",
    "check_capabilities",
    "describe_requirements",
    "missing_capabilities",
    "suitable_objectives",
]

# What fits a density.
OBJECTIVES = {
    "cd": ContrastiveDivergence,
    "cnce": ConditionalNoiseContrastiveEstimation,
    "denoising_score_matching": DenoisingScoreMatching,
    "elbo": EvidenceLowerBound,
    "importance_weighted": ImportanceWeightedBound,
    "minimum_probability_flow": MinimumProbabilityFlow,
    "mle": MaximumLikelihood,
    "nce": NoiseContrastiveEstimation,
    "parallel_tempering": ParallelTempering,
    "pcd": PersistentContrastiveDivergence,
    "pseudo_likelihood": PseudoLikelihood,
    "ratio_matching": RatioMatching,
    "score_matching": ScoreMatching,
    "sliced_score_matching": SlicedScoreMatching,
    "variational_bound": VariationalBound,
    "vnce": VariationalNoiseContrastiveEstimation,
}

# What makes auto-encoders.
RECONSTRUCTION_OBJECTIVES = {
    "autoencoder": AutoencoderLoss,
    "denoising": DenoisingReconstructionError,
    "point_posterior": PointPosteriorBound,
    "reconstruction_error": ReconstructionError,
}
