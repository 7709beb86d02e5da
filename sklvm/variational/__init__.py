"""Variational auto-encoders, and single-layer relatives, as estimators."""

from sklvm.variational._bernoulli_vae import BernoulliVAE
from sklvm.variational._sigmoid_autoencoder import SigmoidAutoencoder
from sklvm.variational._vae_transformer import VAETransformer

__all__ = ["BernoulliVAE", "SigmoidAutoencoder", "VAETransformer"]
