"""Distributions q(z|x) of latent variables given data: encoders and exact posteriors."""

from sklvm.posteriors._discrete_encoder import DiscreteEncoder, DiscretePosterior
from sklvm.posteriors._gaussian_encoder import GaussianEncoder, GaussianPosterior
from sklvm.posteriors._latent_draws import (
    AllStates,
    ExactPosteriorMean,
    GaussianDraws,
    LatentDraws,
    StateDraws,
)

__all__ = [
    "AllStates",
    "DiscreteEncoder",
    "DiscretePosterior",
    "ExactPosteriorMean",
    "GaussianDraws",
    "GaussianEncoder",
    "GaussianPosterior",
    "LatentDraws",
    "StateDraws",
]
