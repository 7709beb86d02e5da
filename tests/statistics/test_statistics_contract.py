"""Every kind of statistics merges, scales and has a neutral element."""

import numpy as np
from scipy import sparse

from sklvm import statistics
from sklvm.statistics import ConvolutionalStatistics, DictionaryStatistics, GaussianStatistics
from sklvm.testing import StatisticsTestCase


class TestGaussianStatistics(StatisticsTestCase):
    offset = 0.0
    n_features = 3

    def collect(self, rows, weights):
        X = np.random.default_rng(0).normal(self.offset, size=(self.n_rows, self.n_features))
        return GaussianStatistics.collect(X[rows], weights)

    def fields(self, statistics):
        return [statistics.weight, statistics.mean, statistics.scatter, statistics.epsilon]

    def solution(self, statistics):
        return statistics.solve()

    def test_the_neutral_element_of_far_rows_has_no_mean(self):
        nothing = self.collect(*self._all()).neutral()
        assert nothing.weight == 0
        assert not nothing.mean.any()


class TestGaussianStatisticsFarFromTheOrigin(TestGaussianStatistics):
    offset = 1e6


class TestGaussianStatisticsOfWideData(TestGaussianStatistics):
    n_features = 50  # more than there are rows, which are kept in the place of the scatter

    def test_no_matrix_of_all_features_is_made(self):
        rows, weights = self._all()
        parts = [self.collect(rows[part], weights[part]) for part in (slice(0, 20), slice(20, 30))]
        assert parts[0].merge(parts[1]).scale(2.0).rows.shape == (31, 50)
        assert parts[0].merge(parts[1]).merge(parts[1]).merge(parts[1]).rows is None


class TestGaussianStatisticsOfSomeWideData(TestGaussianStatistics):
    n_features = 25  # more than some parts have rows, and less than others


class TestDictionaryStatistics(StatisticsTestCase):
    def collect(self, rows, weights):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n_rows, 3))
        Z = rng.standard_normal((self.n_rows, 4)) * (rng.random((self.n_rows, 4)) < 0.5)
        return DictionaryStatistics.collect(X[rows], sparse.csr_array(Z[rows]), weights)

    def solution(self, statistics):
        return (statistics.solve(np.eye(4, 3), max_passes=3),)


class TestConvolutionalStatistics(StatisticsTestCase):
    n_rows = 24
    shape = (3, 4, 3, 1)

    def collect(self, rows, weights):
        rng = np.random.default_rng(0)
        images = rng.standard_normal((self.n_rows, 9, 11, 1))
        maps = rng.standard_normal((self.n_rows, 6, 9, 3))
        maps *= rng.random(maps.shape) < 0.2
        coded = [
            (images[i], np.nonzero(maps[i]), maps[i][np.nonzero(maps[i])], weight)
            for i, weight in zip(rows, weights, strict=True)
        ]
        return ConvolutionalStatistics.collect(coded, self.shape)

    def solution(self, statistics):
        return (statistics.solve(np.ones(self.shape) / 4),)


def test_every_kind_has_a_case():
    kinds = {name for name in statistics.__all__ if isinstance(getattr(statistics, name), type)}
    cases = {
        case.removeprefix("Test")
        for case, kind in globals().items()
        if isinstance(kind, type) and issubclass(kind, StatisticsTestCase)
    }
    assert kinds - {"Statistics"} <= cases
