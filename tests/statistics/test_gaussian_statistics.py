"""Sufficient statistics of a Gaussian are those of the data, however the data are cut."""

import numpy as np
import pytest

from sklvm.statistics import GaussianStatistics


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.standard_normal((9000, 7)) @ rng.standard_normal((7, 7)) + 5


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(1).integers(0, 4, size=9000).astype(float)


def test_location_and_covariance_are_those_of_the_rows(X):
    location, covariance = GaussianStatistics.collect(X).solve()
    np.testing.assert_allclose(location, X.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(covariance, np.cov(X.T, bias=True), rtol=1e-12)
    np.testing.assert_array_equal(covariance, covariance.T)


def test_a_weight_is_a_repetition(X, weights):
    weighted = GaussianStatistics.collect(X, weights)
    repeated = GaussianStatistics.collect(np.repeat(X, weights.astype(int), axis=0))
    assert weighted.weight == repeated.weight
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
    np.testing.assert_allclose(weighted.scatter, repeated.scatter, rtol=1e-11)


@pytest.mark.parametrize("cuts", [[1], [4000], [10, 11, 5000], []])
def test_statistics_of_parts_merge_into_those_of_the_whole(X, weights, cuts):
    whole = GaussianStatistics.collect(X, weights)
    merged = GaussianStatistics.empty(7)
    for part, part_weights in zip(np.split(X, cuts), np.split(weights, cuts), strict=True):
        merged = merged.merge(GaussianStatistics.collect(part, part_weights))
    assert merged.weight == whole.weight
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-13)
    np.testing.assert_allclose(merged.scatter, whole.scatter, rtol=1e-11)


def test_merging_leaves_both_parts_as_they_were(X):
    first, second = GaussianStatistics.collect(X[:50]), GaussianStatistics.collect(X[50:])
    before = first.scatter.copy(), second.scatter.copy()
    first.merge(second)
    np.testing.assert_array_equal(first.scatter, before[0])
    np.testing.assert_array_equal(second.scatter, before[1])


@pytest.mark.parametrize("offset", [0, 1e3, 1e6])
def test_float64_data_lose_no_accuracy_by_their_offset(X, offset):
    _, covariance = GaussianStatistics.collect(X + offset).solve()
    exact = np.cov((X + offset - offset).T, bias=True)  # of the digits that are left
    np.testing.assert_allclose(covariance, exact, atol=1e-12 * np.abs(exact).max())


def test_far_rows_of_no_weight_leave_no_trace(X):
    X = X.astype("float32")
    for far in (np.s_[::2], np.s_[1::2]):
        weights = np.ones(len(X))
        weights[far] = 0
        polluted = X.copy()
        polluted[far] += 1e6
        _, expected = GaussianStatistics.collect(X, weights).solve()
        _, covariance = GaussianStatistics.collect(polluted, weights).solve()
        np.testing.assert_allclose(covariance, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("offset", [0, 1e3])
def test_float32_data_lose_no_accuracy_by_their_offset(offset):
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((20_000, 5)) @ rng.standard_normal((5, 5)) + offset).astype("float32")
    exact = np.cov(X.T.astype("float64"), bias=True)
    _, covariance = GaussianStatistics.collect(X).solve()
    assert covariance.dtype == np.float64
    np.testing.assert_allclose(covariance, exact, atol=2e-6 * np.abs(exact).max())


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda X: X[::-1][::-1], lambda X: np.repeat(X, 2, 1)[:, ::2]]
)
def test_the_memory_layout_does_not_matter(X, layout):
    expected = GaussianStatistics.collect(X)
    arranged = layout(X)
    arranged.flags.writeable = False
    np.testing.assert_allclose(
        GaussianStatistics.collect(arranged).scatter, expected.scatter, rtol=1e-12
    )


def test_no_weight_is_an_error():
    with pytest.raises(ValueError, match="sum of weights must be positive"):
        GaussianStatistics.collect(np.ones((3, 2)), np.zeros(3)).solve()
