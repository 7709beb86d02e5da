"""Mergeable sufficient statistics: collect, merge, solve."""

from sklvm.statistics._gaussian_statistics import GaussianStatistics

__all__ = ["GaussianStatistics"]
