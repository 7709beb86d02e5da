"""Mixtures, fitted by expectation maximisation."""

from sklvm.mixture._bernoulli_mixture import BernoulliMixture
from sklvm.mixture._gaussian_mixture import GaussianMixture

__all__ = ["BernoulliMixture", "GaussianMixture"]
