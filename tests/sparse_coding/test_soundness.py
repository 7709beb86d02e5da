"""What is degenerate, extreme or ill-conditioned is coded as right as all else."""

import numpy as np
import pytest
from scipy.optimize import nnls

from sklvm import SparseCoder
from sklvm.sparse_coding import L1, AtMostNonzero

CONVEX = ["active_set", "coordinate_descent", "fista"]
EVERY = [("l1", s) for s in CONVEX] + [
    ("elastic_net", "active_set"),
    ("l0", "coordinate_descent"),
    ("lq", "fista"),
    (AtMostNonzero(3), "omp"),
]
every = pytest.mark.parametrize("penalty, solver", EVERY)
signs = pytest.mark.parametrize("positive", [False, True])


def encode(X, D, **params):
    return SparseCoder(D, n_jobs=1, **params).fit(X).encode(X, return_info=True)


def objective(X, D, Z, alpha):
    return 0.5 * ((X - Z @ D) ** 2).sum(axis=1) + alpha * np.abs(Z).sum(axis=1)


@signs
@pytest.mark.parametrize("distance", [0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2])
def test_near_duplicate_atoms(problem, rng, distance, positive):
    X, D = problem
    twins = D + distance * rng.standard_normal(D.shape)
    coherent = np.vstack([D, twins, -D[:20]])
    alpha = 0.2
    Z, info = encode(X, coherent, alpha=alpha, positive=positive)
    assert info.dual_gap_.max() <= 1e-6
    residual = X - Z @ coherent
    g = residual @ coherent.T
    largest = np.maximum(g if positive else np.abs(g), 0).max(axis=1)
    nu = residual * np.minimum(1, alpha / largest)[:, np.newaxis]
    dual = (X * nu).sum(axis=1) - 0.5 * (nu**2).sum(axis=1)
    primal = objective(X, coherent, Z, alpha)
    assert np.max((primal - dual) / primal) < 1.1e-6


def test_duplicate_atoms_change_no_objective(problem):
    X, D = problem
    _, once = encode(X, D, alpha=0.2, tol=1e-12)
    _, thrice = encode(X, np.vstack([D, D, D]), alpha=0.2, tol=1e-12)
    np.testing.assert_allclose(thrice.objective_, once.objective_, rtol=1e-11)


@every
@pytest.mark.filterwarnings("ignore:.*of the codes' entries are zero")  # as they are to be
def test_zero_atoms_and_zero_samples_have_zero_codes(problem, penalty, solver):
    X, D = problem
    X, D = X.copy(), D.copy()
    X[3] = 0
    D[5] = 0
    Z, info = encode(X, D, alpha=0.2, penalty=penalty, solver=solver)
    assert not Z[3].any() and not Z[:, 5].any()
    assert info.dual_gap_[3] == 0 and info.objective_[3] == 0
    Z, _ = encode(X, np.zeros_like(D), alpha=0.2, penalty=penalty, solver=solver)
    assert not Z.any()


@pytest.mark.parametrize("solver", CONVEX)
@signs
@pytest.mark.filterwarnings("ignore:.*of the codes' entries are zero")  # as they are to be
def test_codes_are_exactly_zero_from_the_largest_correlation_on(problem, solver, positive):
    X, D = problem
    correlations = X @ D.T if positive else np.abs(X @ D.T)
    Z, info = encode(X, D, alpha=correlations.max() * (1 + 1e-12), solver=solver, positive=positive)
    assert not Z.any()
    assert info.n_iter_.max() == 0


@pytest.mark.parametrize(
    "solver, n_atoms",
    [*(("active_set", n) for n in (1, 12, 20, 60)), *(("fista", n) for n in (1, 12, 60))],
)
def test_without_a_penalty_codes_are_least_squares(problem, solver, n_atoms):
    X, D = problem
    D = D[:n_atoms]
    Z, info = encode(X, D, alpha=0.0, solver=solver, tol=1e-8)
    expected = np.linalg.lstsq(D.T, X.T, rcond=None)[0].T
    np.testing.assert_allclose(Z @ D, expected @ D, atol=1e-7)
    slope = np.abs((X - Z @ D) @ D.T).max(axis=1) / np.abs(X @ D.T).max(axis=1)
    assert max(slope.max(), info.dual_gap_.max()) <= 1.1e-8


@pytest.mark.parametrize("n_atoms", [1, 12, 60])
def test_without_a_penalty_positive_codes_are_nonnegative_least_squares(problem, n_atoms):
    X, D = problem
    D = D[:n_atoms]
    Z, _ = encode(X, D, alpha=0.0, positive=True, tol=1e-10)
    expected = [nnls(D.T, x)[1] for x in X]
    np.testing.assert_allclose(np.linalg.norm(X - Z @ D, axis=1), expected, rtol=1e-7, atol=1e-5)


@pytest.mark.parametrize("alpha", [1e-1, 1e-3, 1e-5, 1e-7])
def test_weak_penalties_converge(problem, alpha):
    X, D = problem
    _, info = encode(X, D, alpha=alpha)
    assert info.dual_gap_.max() <= 1e-6
    _, tight = encode(X, D, alpha=alpha, tol=1e-8)
    np.testing.assert_allclose(
        info.objective_, tight.objective_, rtol=1e-6, atol=1e-12 * (X**2).sum()
    )


@every
@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (7, 1), (33, 2)])
def test_any_shape_of_dictionary(rng, penalty, solver, shape):
    D = rng.standard_normal(shape)
    X = 3 * rng.standard_normal((10, shape[1]))
    Z, info = encode(X, D, alpha=0.2, penalty=penalty, solver=solver)
    assert np.isfinite(Z).all() and info.dual_gap_.max() <= 1e-6


def test_more_atoms_than_4096(rng):
    D = rng.standard_normal((4100, 5))
    X = rng.standard_normal((20, 5))
    Z, info = encode(X, D, alpha=0.5)
    np.testing.assert_allclose(info.objective_, objective(X, D, Z, 0.5), rtol=1e-10)
    assert info.dual_gap_.max() <= 1e-6


# The two parts of the elastic net scale differently.
@pytest.mark.parametrize("penalty, solver", [pair for pair in EVERY if pair[0] != "elastic_net"])
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter(problem, penalty, solver, scale):
    X, D = problem
    power = {"l0": 2, "lq": 1.5}.get(penalty, 1) if isinstance(penalty, str) else 1
    Z, _ = encode(X, D, alpha=0.5, penalty=penalty, solver=solver, tol=1e-10)
    scaled, _ = encode(
        scale * X, D, alpha=0.5 * scale**power, penalty=penalty, solver=solver, tol=1e-10
    )
    np.testing.assert_allclose(scaled / scale, Z, atol=1e-6)


def test_atoms_of_any_norm(problem, rng):
    X, D = problem
    norms = 10 ** rng.uniform(-3, 3, len(D))
    Z, _ = encode(X, D, alpha=0.2, tol=1e-12)
    scaled = norms[:, np.newaxis] * D
    weighted = L1(weights=norms)
    U, _ = encode(X, scaled, alpha=0.2, penalty=weighted, tol=1e-12)
    np.testing.assert_allclose(U * norms, Z, atol=1e-7)


def test_dense_codes_of_data_atoms(rng):
    X = rng.standard_normal((30, 100)) @ rng.standard_normal((100, 100)) / 10
    _, info = encode(X, X[:25], alpha=1e-3)
    assert info.dual_gap_.max() <= 1e-6
