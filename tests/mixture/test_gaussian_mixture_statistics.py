"""The statistics of Gaussian mixtures merge as the rows do from which they are collected."""

import numpy as np

from sklvm import GaussianMixture
from sklvm.mixture._factor_analysers import FactorAnalysers
from sklvm.testing import StatisticsTestCase


def rows_with_gaps(n, share):
    """Two clusters, and entries missing in one of six patterns."""
    rng = np.random.default_rng(0)
    X = (
        rng.standard_normal((n, 4)) @ rng.standard_normal((4, 4))
        + 5
        + 3 * rng.integers(2, size=(n, 1))
    )
    patterns = rng.random((6, 4)) < share
    patterns[patterns.all(axis=1)] = False
    return np.where(patterns[rng.integers(6, size=n)], np.nan, X)


class _Case(StatisticsTestCase):
    covariance_type = "full"
    holes = 0.0
    rtol = 1e-7

    def collect(self, rows, weights):
        X = rows_with_gaps(self.n_rows, self.holes)
        start = np.full((2, 4), [[5.0], [6.0]])
        settings = {"init": start, "max_iter": 0, "random_state": 0}
        mixture = GaussianMixture(2, covariance_type=self.covariance_type, **settings).fit(X)
        shares = mixture.predict_proba(X)[rows] * weights[:, np.newaxis]
        self.components, self.theta = mixture._mixture.components, mixture._theta.components
        return self.components.collect(self.theta, X[rows], shares)

    def solution(self, statistics):
        return self.components.solve(statistics, self.theta)[:2]


class TestFullMoments(_Case):
    pass


class TestTiedMoments(_Case):
    covariance_type = "tied"


class TestDiagonalMoments(_Case):
    covariance_type, holes = "diag", 0.3


class TestFactorStatistics(_Case):
    covariance_type = "factor"

    def solution(self, statistics):
        assert isinstance(self.components, FactorAnalysers)
        return super().solution(statistics)


del _Case
