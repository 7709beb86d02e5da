"""The Gaussian energy, full and with given zeros of the precision."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import GaussianEnergy
from sklvm.testing import EnergyTestCase

MASK = np.array([[True, True, False], [True, True, True], [False, True, True]])


def a_precision(d, rng):
    factor = np.eye(d) + 0.3 * rng.standard_normal((d, d))
    return factor @ factor.T


class TestFullGaussianEnergy(EnergyTestCase):
    mask = None

    def make(self):
        return self._make(3)

    def make_small(self):
        return self._make(2)

    def _make(self, d):
        rng = np.random.default_rng(3)
        mask = None if self.mask is None else self.mask[:d, :d]
        energy = GaussianEnergy(d, mask)
        theta = energy.pack(rng.standard_normal(d), a_precision(d, rng))
        return energy, theta, rng.standard_normal((12, d))


class TestMaskedGaussianEnergy(TestFullGaussianEnergy):
    mask = MASK


class TestDiagonalGaussianEnergy(TestFullGaussianEnergy):
    mask = np.eye(3, dtype=bool)


def test_the_precision_is_symmetric_with_zeros_off_the_mask(rng):
    energy = GaussianEnergy(3, MASK)
    precision = energy.precision(rng.standard_normal(energy.layout.size))
    assert_array_equal(precision, precision.T)
    assert_array_equal(precision != 0, MASK)


def test_pack_is_undone_by_precision(rng):
    energy, precision = GaussianEnergy(4), a_precision(4, rng)
    theta = energy.pack(np.arange(4.0), precision)
    assert_allclose(energy.precision(theta), precision, rtol=1e-15)
    assert_array_equal(energy.layout.views(theta)["location"], np.arange(4.0))


def test_log_partition_in_many_dimensions_is_the_closed_form(rng):
    energy, precision = GaussianEnergy(30), a_precision(30, rng)
    expected = 15 * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(precision)[1]
    assert_allclose(energy.log_partition(energy.pack(np.zeros(30), precision)), expected)


def test_draws_have_the_location_and_the_inverse_precision(rng):
    energy, precision = GaussianEnergy(3), a_precision(3, rng)
    X = energy.sample(energy.pack([1.0, -2.0, 3.0], precision), 200_000, rng)
    covariance = np.linalg.inv(precision)
    error = np.sqrt(np.diag(covariance) / len(X))
    assert np.all(np.abs(X.mean(axis=0) - [1.0, -2.0, 3.0]) < 5 * error)
    assert_allclose(np.cov(X.T), covariance, atol=0.02 * np.abs(covariance).max())


def test_a_precision_that_is_not_positive_definite_has_no_log_partition():
    energy = GaussianEnergy(2)
    with pytest.raises(np.linalg.LinAlgError):
        energy.log_partition(energy.pack(np.zeros(2), np.diag([1.0, -1.0])))


def test_the_start_is_the_independent_gaussian_of_the_data(rng):
    X = rng.standard_normal((50, 3)) * [1.0, 2.0, 0.0]
    energy = GaussianEnergy(3)
    theta = energy.init_parameters(X, rng)
    assert_allclose(energy.layout.views(theta)["location"], X.mean(axis=0))
    precision = energy.precision(theta)
    assert_allclose(np.diag(precision)[:2], 1 / X.var(axis=0)[:2])
    assert np.isfinite(energy.log_partition(theta))
