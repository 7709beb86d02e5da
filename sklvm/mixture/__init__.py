"""Mixtures, fitted by expectation maximisation."""

from sklvm.mixture._bernoulli_mixture import BernoulliMixture
from sklvm.mixture._categorical_mixture import CategoricalMixture
from sklvm.mixture._gaussian_mixture import GaussianMixture

__all__ = ["BernoulliMixture", "CategoricalMixture", "GaussianMixture"]
