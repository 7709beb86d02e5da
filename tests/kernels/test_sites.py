"""Sweeps over coupled units: against numpy site by site, and for any number of threads."""

import numpy as np
import pytest
from scipy.special import logit

from sklvm.graphs import SiteGraph, grid_graph
from sklvm.kernels import pair_matrix, settle_sites, sweep_sites, sweep_sparse_sites, uniform

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def symmetric(rng, d, dtype, scale=0.3):
    J = scale * rng.standard_normal((d, d))
    J = np.triu(J, 1)
    return (J + J.T).astype(dtype)


def bits(rng, shape, dtype):
    return (rng.random(shape) < 0.5).astype(dtype)


def twin(X, U, J, bias, thresholds, order, scale=1.0, free=None, low=0):
    """Site by site, with a rank-one update of the inputs for all rows at once; in place."""
    bias, free = (
        np.broadcast_to(bias, X.shape),
        np.broadcast_to(True if free is None else free, X.shape),
    )
    for j in order:
        threshold, u = thresholds[:, j] - bias[:, j], X.dtype.type(scale) * U[:, j]
        new = np.where(u > threshold, 1, np.where(u < threshold, low, X[:, j])).astype(X.dtype)
        delta = np.where(free[:, j], new - X[:, j], 0)
        X[:, j] += delta
        U += delta[:, np.newaxis] * J[j]


@DTYPES
@pytest.mark.parametrize(("n", "d"), [(1, 1), (3, 5), (33, 63), (40, 64), (5, 65), (35, 150)])
def test_a_sweep_is_that_of_numpy_site_by_site(rng, n, d, dtype):
    J, bias = symmetric(rng, d, dtype), rng.standard_normal(d).astype(dtype)
    X = bits(rng, (n, d), dtype)
    U = X @ J
    expected, expected_inputs = X.copy(), U.copy()
    for sweep in range(3):
        draws = uniform((n, d), 7, sweep=sweep, layer=2, dtype=dtype)
        # To a rounding of the logarithms, which decides about next to no unit.
        twin(expected, expected_inputs, J, bias, logit(draws.astype(float)), range(d), 0.8)
        sweep_sites(X, U, J, bias, 7, sweep=sweep, layer=2, scale=0.8)
        np.testing.assert_array_equal(X, expected)
        # The sums have one order, whatever the blocks are.
        np.testing.assert_array_equal(U, expected_inputs)


@DTYPES
def test_units_that_are_not_free_stay_whatever_they_are(rng, dtype):
    J, bias = symmetric(rng, 70, dtype), rng.standard_normal((9, 70)).astype(dtype)
    X = rng.random((9, 70)).astype(dtype)
    for free in (rng.random(70) < 0.5, rng.random((9, 70)) < 0.5):
        swept, U = X.copy(), X @ J
        expected, expected_inputs = X.copy(), U.copy()
        draws = uniform((9, 70), 1, dtype=dtype).astype(float)
        twin(expected, expected_inputs, J, bias, logit(draws), range(70), free=free)
        sweep_sites(swept, U, J, bias, 1, free=free)
        np.testing.assert_array_equal(swept, expected)
        np.testing.assert_array_equal(U, expected_inputs)
        held = ~np.broadcast_to(free, X.shape)
        np.testing.assert_array_equal(swept[held], X[held])


@DTYPES
@pytest.mark.parametrize("n", [1, 15, 16, 37])
def test_a_sparse_sweep_is_that_of_numpy_in_the_order_of_colours(rng, n, dtype):
    graph = grid_graph((9, 8))
    d, weights = graph.n_sites, rng.standard_normal(graph.n_edges).astype(dtype)
    J = np.zeros((d, d), dtype=dtype)
    J[graph.edges[:, 0], graph.edges[:, 1]] = weights
    J += J.T
    X, bias = rng.random((n, d)).astype(dtype), rng.standard_normal((n, d)).astype(dtype)
    free = rng.random((n, d)) < 0.7
    expected = X.copy()
    for sweep in range(3):
        draws = uniform((n, d), 3, sweep=sweep, dtype=dtype).astype(float)
        twin(expected, expected @ J, J, bias, logit(draws), graph.sites, 1.2, free)
        sweep_sparse_sites(X, graph, weights, bias, 3, sweep=sweep, scale=1.2, free=free)
        np.testing.assert_array_equal(X, expected)


def test_a_graph_without_edges_has_independent_units():
    X = sweep_sparse_sites(
        np.zeros((5000, 2)), SiteGraph(2, []), np.zeros(0), np.array([1.0, -9]), 0
    )
    np.testing.assert_allclose(X.mean(axis=0), [0.731, 0.0], atol=0.02)


@pytest.mark.parametrize("low", [0, -1])
def test_rows_settle_where_no_single_change_is_better(rng, low):
    d = 100
    J, bias = symmetric(rng, d, np.float64), 0.1 * rng.standard_normal(d)
    X = np.where(rng.random((40, d)) < 0.5, 1.0, low)
    free = rng.random(d) < 0.8
    start, U = X.copy(), X @ J
    expected, expected_inputs = X.copy(), U.copy()
    for _ in range(60):
        twin(expected, expected_inputs, J, bias, np.zeros_like(X), range(d), 1, free, low)
    assert settle_sites(X, U, J, bias, low=low, free=free).all()
    np.testing.assert_array_equal(X, expected)
    np.testing.assert_allclose(U, X @ J, atol=1e-9)
    np.testing.assert_array_equal(X[:, ~free], start[:, ~free])
    wanted = np.where(X @ J + bias > 0, 1, low)
    np.testing.assert_array_equal(X[:, free], wanted[:, free])
    again = start.copy()
    assert not settle_sites(again, again @ J, J, bias, low=low, free=free, max_sweeps=1).all()


def test_a_unit_whose_states_are_equally_probable_stays():
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert settle_sites(X, np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2)).all()
    np.testing.assert_array_equal(X, [[1, 0], [0, 1]])


def test_the_bits_are_the_same_for_every_thread_count_and_whatever_rows_come_together(rng):
    graph = grid_graph((10, 13))
    weights = rng.standard_normal(graph.n_edges)
    J, bias, X = symmetric(rng, 130, np.float64), np.zeros(130), bits(rng, (70, 130), np.float64)
    results = []
    for n_threads in (1, 2, 3):
        dense, inputs, sparse, settled = X.copy(), X @ J, X.copy(), X.copy()
        sweep_sites(dense, inputs, J, bias, 0, n_threads=n_threads)
        sweep_sparse_sites(sparse, graph, weights, bias, 0, n_threads=n_threads)
        settle_sites(settled, X @ J, J, bias, n_threads=n_threads)
        results.append((dense, inputs, sparse, settled))
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(one, other)
    few = X[:3].copy()
    sweep_sites(few, few @ J, J, bias, 0)
    np.testing.assert_array_equal(few, results[0][0][:3])


@DTYPES
@pytest.mark.parametrize("d", [1, 2, 5, 32, 33, 100])
def test_pairs_make_a_symmetric_matrix(rng, d, dtype):
    expected = symmetric(rng, d, dtype)
    matrix = pair_matrix(expected[np.triu_indices(d, 1)], d)
    assert matrix.dtype == dtype
    np.testing.assert_array_equal(matrix, expected)
    with pytest.raises(ValueError, match=r"values must have shape \(3,\), got \(2,\)"):
        pair_matrix(np.zeros(2), 3)


def test_bad_arrays_are_named():
    X, J = np.zeros((3, 4)), np.zeros((4, 4))
    with pytest.raises(TypeError, match="states must be of dtype float32 or float64, got int64"):
        sweep_sites(X.astype(int), X, J, J[0], 0)
    with pytest.raises(ValueError, match="states must be C-contiguous"):
        sweep_sites(np.asfortranarray(X), X, J, J[0], 0)
    with pytest.raises(ValueError, match=r"couplings must have shape \(4, 4\), got \(3, 4\)"):
        sweep_sites(X, X.copy(), J[:3], J[0], 0)
    with pytest.raises(ValueError, match=r"bias must have shape \(4,\) or \(3, 4\), got \(3,\)"):
        sweep_sites(X, X.copy(), J, J[0, :3], 0)
    with pytest.raises(TypeError, match="free must be of dtype bool, got int64"):
        sweep_sites(X, X.copy(), J, J[0], 0, free=[1, 0, 1, 1])
    with pytest.raises(ValueError, match="max_sweeps must be an integer of at least 1, got 0"):
        settle_sites(X, X.copy(), J, J[0], max_sweeps=0)
    with pytest.raises(ValueError, match=r"weights must have shape \(1,\), got \(2,\)"):
        sweep_sparse_sites(X, SiteGraph(4, [(0, 1)]), np.zeros(2), J[0], 0)
