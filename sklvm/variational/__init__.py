"""Variational auto-encoders as estimators."""

from sklvm.variational._bernoulli_vae import BernoulliVAE
from sklvm.variational._vae_transformer import VAETransformer

__all__ = ["BernoulliVAE", "VAETransformer"]
