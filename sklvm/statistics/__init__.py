"""Mergeable sufficient statistics: collect, merge, solve."""

from sklvm.statistics._base import Statistics
from sklvm.statistics._column_moments import column_moments
from sklvm.statistics._convolutional_statistics import ConvolutionalStatistics
from sklvm.statistics._dictionary_statistics import DictionaryStatistics
from sklvm.statistics._gaussian_statistics import GaussianStatistics
from sklvm.statistics._moved_filters import centring_move, moved

__all__ = [
    "ConvolutionalStatistics",
    "DictionaryStatistics",
    "GaussianStatistics",
    "Statistics",
    "centring_move",
    "column_moments",
    "moved",
]
