"""Whitening, and Gaussians with a structured precision matrix."""

from sklvm.covariance._constrained_gaussian import ConstrainedGaussian
from sklvm.covariance._zca_whitener import ZCAWhitener

__all__ = ["ConstrainedGaussian", "ZCAWhitener"]
