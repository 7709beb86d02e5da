"""Whitening, and Gaussians with a structured precision matrix."""

from sklvm.covariance._constrained_gaussian import ConstrainedGaussian

__all__ = ["ConstrainedGaussian"]
