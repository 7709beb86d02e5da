"""Distributions q(z|x) of latent variables given data: encoders and exact posteriors."""

from sklvm.posteriors._base import Encoder, Posterior
from sklvm.posteriors._discrete_encoder import DiscreteEncoder, DiscretePosterior
from sklvm.posteriors._exact_encoder import ExactEncoder
from sklvm.posteriors._gaussian_encoder import GaussianEncoder, GaussianPosterior
from sklvm.posteriors._latent_samples import (
    AllStates,
    AtMean,
    LatentSample,
    Reparametrized,
    ScoreFunction,
)
from sklvm.posteriors._model_encoder import ModelEncoder
from sklvm.posteriors._point_encoder import PointEncoder, PointPosterior

__all__ = [
    "AllStates",
    "AtMean",
    "DiscreteEncoder",
    "DiscretePosterior",
    "Encoder",
    "ExactEncoder",
    "GaussianEncoder",
    "GaussianPosterior",
    "LatentSample",
    "ModelEncoder",
    "PointEncoder",
    "PointPosterior",
    "Posterior",
    "Reparametrized",
    "ScoreFunction",
]
