"""Statistics of codes are sums over rows, and their solution is the best dictionary."""

import numpy as np
import pytest
from scipy import sparse

from sklvm.statistics import DictionaryStatistics


@pytest.fixture
def rows(rng):
    """Data, sparse codes and weights."""
    X = rng.standard_normal((2500, 7))
    Z = rng.standard_normal((2500, 5)) * (rng.random((2500, 5)) < 0.4)
    return X, sparse.csr_array(Z), rng.random(2500)


def objective(X, Z, D, weights):
    known = np.where(np.isnan(X), 0, X - Z @ D)
    return 0.5 * weights @ (known**2).sum(axis=1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_statistics_are_weighted_products(rows, dtype):
    X, Z, weights = rows
    collected = DictionaryStatistics.collect(X.astype(dtype), Z.astype(dtype), weights)
    dense = Z.toarray().astype(dtype).astype(float)
    weighted = weights[:, np.newaxis] * dense
    np.testing.assert_allclose(collected.code_scatter, weighted.T @ dense, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(
        collected.code_data, weighted.T @ X.astype(dtype).astype(float), rtol=1e-12, atol=1e-10
    )
    assert collected.weight == pytest.approx(weights.sum())


def test_parts_merge_into_the_whole(rows):
    X, Z, weights = rows
    merged = DictionaryStatistics.empty(5, 7)
    for part in (slice(0, 1), slice(1, 900), slice(900, None)):
        merged = merged.merge(DictionaryStatistics.collect(X[part], Z[part], weights[part]))
    whole = DictionaryStatistics.collect(X, Z, weights)
    for name in ("weight", "code_scatter", "code_data"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-12)


@pytest.mark.parametrize("positive", [False, True])
def test_a_pass_updates_atom_by_atom(rows, rng, positive):
    statistics = DictionaryStatistics.collect(*rows)
    A, B = statistics.code_scatter, statistics.code_data
    D = rng.standard_normal((5, 7)) / 3
    solved = statistics.solve(D, positive=positive)
    for k in range(5):
        atom = D[k] + (B[k] - A[k] @ D) / A[k, k]
        atom = np.maximum(atom, 0) if positive else atom
        D[k] = atom / max(1, np.linalg.norm(atom))
    np.testing.assert_allclose(solved, D, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("positive", [False, True])
def test_the_solution_is_stationary_on_the_unit_ball(rows, rng, positive):
    X, Z, weights = rows
    scale = np.array([0.3, 1.0, 3.0, 0.2, 1.0])  # some norms of the free solution exceed 1
    planted = scale[:, np.newaxis] * rng.standard_normal((5, 7))
    statistics = DictionaryStatistics.collect(Z @ planted + 0.1 * X, Z, weights)
    D = statistics.solve(np.zeros((5, 7)), positive=positive, max_passes=2000, tol=0)
    norms = np.linalg.norm(D, axis=1)
    assert (norms <= 1 + 1e-12).all() and (norms < 0.99).any() and (norms > 0.99).any()
    gradient = statistics.code_scatter @ D - statistics.code_data
    multipliers = -(gradient * D).sum(axis=1) / norms**2
    slope = gradient + multipliers[:, np.newaxis] * D
    assert (multipliers >= -1e-9).all() and np.abs(multipliers[norms < 0.99]).max() < 1e-9
    if positive:
        assert (D >= 0).all() and (slope[D == 0] >= -1e-9).all()
        slope[D == 0] = 0
    np.testing.assert_allclose(slope, 0, atol=1e-8)


def test_each_pass_is_an_improvement(rows, rng):
    X, Z, weights = rows
    statistics = DictionaryStatistics.collect(X, Z, weights)
    D = rng.standard_normal((5, 7)) / 3
    values = [objective(X, Z, D, weights)]
    for _ in range(6):
        D = statistics.solve(D)
        values.append(objective(X, Z, D, weights))
    assert (np.diff(values) <= 1e-10).all()


def test_completed_rows_bound_the_objective_of_known_entries(rows, rng):
    X, Z, weights = rows
    X[rng.random(X.shape) < 0.3] = np.nan
    D0 = rng.standard_normal((5, 7)) / 3
    statistics = DictionaryStatistics.collect(X, Z, weights, dictionary=D0)

    def surrogate(D):
        return 0.5 * np.vdot(D, statistics.code_scatter @ D) - np.vdot(D, statistics.code_data)

    offset = objective(X, Z, D0, weights) - surrogate(D0)
    for _ in range(5):
        D = D0 + 0.2 * rng.standard_normal(D0.shape)
        assert surrogate(D) + offset >= objective(X, Z, D, weights)


def test_atoms_that_no_row_uses_stay(rows, rng):
    X, Z, weights = rows
    statistics = DictionaryStatistics.collect(X, Z, weights).without([1, 3])
    D = rng.standard_normal((5, 7)) / 3
    solved = statistics.solve(D)
    np.testing.assert_array_equal(solved[[1, 3]], D[[1, 3]])
    assert not np.allclose(solved[0], D[0])
