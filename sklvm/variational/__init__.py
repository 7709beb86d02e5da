"""Variational auto-encoders, and single-layer relatives, as estimators."""

from sklvm.variational._binary_latent_vae import BinaryLatentVAE
from sklvm.variational._sigmoid_autoencoder import SigmoidAutoencoder
from sklvm.variational._vae_transformer import VAETransformer

__all__ = ["BinaryLatentVAE", "SigmoidAutoencoder", "VAETransformer"]
