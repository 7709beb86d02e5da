"""Topic models: probabilistic latent semantic analysis and latent Dirichlet allocation."""

from sklvm.topics._held_out import completion_perplexity
from sklvm.topics._latent_dirichlet_allocation import LatentDirichletAllocation
from sklvm.topics._probabilistic_latent_semantic_analysis import (
    ProbabilisticLatentSemanticAnalysis,
)

__all__ = [
    "LatentDirichletAllocation",
    "ProbabilisticLatentSemanticAnalysis",
    "completion_perplexity",
]
