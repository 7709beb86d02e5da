"""Mergeable sufficient statistics: collect, merge, solve."""

from sklvm.statistics._base import Statistics
from sklvm.statistics._column_moments import column_moments
from sklvm.statistics._dictionary_statistics import DictionaryStatistics
from sklvm.statistics._gaussian_statistics import GaussianStatistics

__all__ = ["DictionaryStatistics", "GaussianStatistics", "Statistics", "column_moments"]
