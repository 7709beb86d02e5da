"""Mixtures, fitted by expectation maximisation."""

from sklvm.mixture._bernoulli_mixture import BernoulliMixture

__all__ = ["BernoulliMixture"]
