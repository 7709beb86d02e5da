"""All checks of a density, to be inherited."""

import unittest

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.densities import sample_with_log_density
from sklvm.testing._exact_distribution import ExactDistribution
from sklvm.testing._seeded import Seeded

__all__ = ["DensityTestCase"]


class DensityTestCase(Seeded):
    """What a density inherits by handing over one of its kind.

    A subclass whose name starts with ``Test`` is collected by pytest. It gives ``make()``, a
    density of at most 2 real or 12 binary features, and where it can be fitted also
    ``fit(X, sample_weight)``. The checks are:

    - it sums or integrates to 1;
    - its draws follow it, by χ² in the cells of a grid, and repeat themselves from the same seed;
    - draws that come with their log-densities have those;
    - a row's log-density does not depend on the other rows;
    - a fit with weights is that on repeated rows, whatever their order;
    - float32 stays float32.

    Attributes
    ----------
    is_binary : bool
        Whether x is in {0, 1}^d, and not real.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.densities import GaussianDensity
    >>> from sklvm.testing import DensityTestCase
    >>> class TestGaussianDensity(DensityTestCase):
    ...     def make(self, dtype=np.float64):
    ...         return GaussianDensity(np.zeros(2), np.diag([1.0, 4.0]), dtype=dtype)
    ...     def fit(self, X, sample_weight):
    ...         return GaussianDensity.fit(X, sample_weight)
    >>> TestGaussianDensity().test_it_integrates_to_one()
    """

    is_binary = False
    n_draws = 20_000

    def make(self, dtype=np.float64):
        """The density under test, whose draws have this dtype."""
        raise NotImplementedError

    fit = None

    def test_it_integrates_to_one(self):
        assert_allclose(self._distribution().log_partition, 0, atol=1e-6)

    def test_its_draws_follow_it(self):
        self._distribution().assert_drawn(self.make().sample(self.n_draws, self.rng))

    def test_draws_come_with_their_log_densities(self):
        density = self.make()
        X, log_density = sample_with_log_density(density, 50, self.rng)
        assert X.shape == (50, density.n_features)
        assert_allclose(log_density, density.log_density(X), rtol=1e-9, atol=1e-9)

    def test_the_same_seed_draws_the_same(self):
        density = self.make()
        first, again, other = (
            density.sample(20, np.random.default_rng(seed)) for seed in (1, 1, 2)
        )
        assert_array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_a_row_does_not_depend_on_the_others(self):
        density = self.make()
        X = density.sample(7, self.rng)
        alone = np.concatenate([density.log_density(row[np.newaxis]) for row in X])
        assert_allclose(density.log_density(X), alone, rtol=1e-10, atol=1e-12)

    def test_a_weight_is_a_repeated_row(self):
        fit, X = self._fit(), self.make().sample(40, self.rng)
        counts = self.rng.integers(0, 4, 40)
        weighted = fit(X, counts.astype(float))
        order = self.rng.permutation(np.repeat(np.arange(40), counts))
        repeated = fit(X[order], np.ones(len(order)))
        assert_allclose(weighted.log_density(X), repeated.log_density(X), rtol=1e-7, atol=1e-9)

    def test_a_fit_finds_the_density_of_its_draws(self):
        density = self.make()
        X, unseen = (density.sample(n, self.rng) for n in (20_000, 2000))
        fitted = self._fit()(X, np.ones(len(X)))
        lost = np.mean(density.log_density(unseen) - fitted.log_density(unseen))
        assert lost < 0.02

    def test_float32_stays_float32_and_float64_stays_float64(self):
        for dtype in (np.float32, np.float64):
            density = self.make(dtype)
            X, log_density = sample_with_log_density(density, 8, self.rng)
            assert X.dtype == dtype
            assert log_density.dtype == density.log_density(X).dtype == dtype
            if self.fit is not None:
                X = density.sample(200, self.rng)
                assert self.fit(X, np.ones(200, dtype)).sample(2, self.rng).dtype == dtype

    def _fit(self):
        if self.fit is None:
            raise unittest.SkipTest("there is no fit")
        return self.fit

    def _distribution(self):
        density = self.make()
        X = density.sample(50, np.random.default_rng(0))
        energy = (_Bits if self.is_binary else _Reals)(density)
        return ExactDistribution(energy, np.empty(0), X)


class _Bits:
    """−log p as an energy, which is what ``ExactDistribution`` tabulates."""

    def __init__(self, density):
        self._density, self.n_features = density, density.n_features

    def evaluate(self, theta, X):
        return -self._density.log_density(X), None


class _Reals(_Bits):
    """Has what says that x is real; it is not called."""

    def score(self, theta, X):
        raise NotImplementedError

    energy_and_score = curvature = score
