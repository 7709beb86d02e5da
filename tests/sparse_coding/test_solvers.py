"""Every solver ends where optimality conditions, other libraries and enumeration say."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, orthogonal_mp_gram

from sklvm import SparseCoder
from sklvm.sparse_coding import L0, L1, AtMostNonzero, AtMostResidual, ElasticNet, Lq

CONVEX = ["active_set", "coordinate_descent", "fista"]
solvers = pytest.mark.parametrize("solver", CONVEX)
signs = pytest.mark.parametrize("positive", [False, True])


def codes_of(X, D, **params):
    return SparseCoder(D, n_jobs=1, **params).fit(X).encode(X, return_info=True)


def kkt_violation(X, D, Z, bound, positive):
    """How far (x − zD)Dᵀ is from the subgradients of Σ bound |z| (and z ≥ 0)."""
    g = (X - Z @ D) @ D.T
    at_zero = np.maximum(g - bound, 0) if positive else np.maximum(np.abs(g) - bound, 0)
    return np.max(np.where(Z == 0, at_zero, np.abs(g - bound * np.sign(Z))))


def duality_gap(X, D, Z, alpha, positive):
    residual = X - Z @ D
    g = residual @ D.T
    largest = np.maximum(g, 0).max(axis=1) if positive else np.abs(g).max(axis=1)
    nu = residual * np.minimum(1, alpha / np.maximum(largest, 1e-300))[:, np.newaxis]
    primal = 0.5 * (residual**2).sum(axis=1) + alpha * np.abs(Z).sum(axis=1)
    return primal, primal - ((X * nu).sum(axis=1) - 0.5 * (nu**2).sum(axis=1))


@signs
def test_active_set_codes_satisfy_optimality_to_1e_10(problem, positive):
    X, D = problem
    Z, _ = codes_of(X, D, alpha=0.3, positive=positive, tol=1e-13)
    assert kkt_violation(X, D, Z, 0.3, positive) < 1e-10
    primal, gap = duality_gap(X, D, Z, 0.3, positive)
    assert np.max(gap / primal) < 1e-10


@solvers
@signs
def test_the_certificate_is_the_relative_duality_gap(problem, solver, positive):
    X, D = problem
    Z, info = codes_of(X, D, alpha=0.3, positive=positive, tol=1e-3, solver=solver)
    primal, gap = duality_gap(X, D, Z, 0.3, positive)
    np.testing.assert_allclose(info.objective_, primal, rtol=1e-12)
    np.testing.assert_allclose(info.dual_gap_, gap / primal, rtol=1e-6, atol=1e-13)
    assert info.dual_gap_.max() <= 1e-3


@solvers
@signs
def test_codes_agree_with_scikit_learn(problem, solver, positive):
    X, D = problem
    X = X[:20]
    Z, _ = codes_of(X, D, alpha=0.3, positive=positive, solver=solver, tol=1e-12)
    n = D.shape[1]
    lasso = Lasso(
        alpha=0.3 / n, fit_intercept=False, positive=positive, tol=1e-12, max_iter=100_000
    )
    expected = [lasso.fit(D.T, x).coef_ for x in X]
    np.testing.assert_allclose(Z, expected, atol=1e-6)


@solvers
@signs
def test_the_elastic_net_agrees_with_scikit_learn(problem, solver, positive):
    X, D = problem
    X = X[:20]
    Z, info = codes_of(
        X, D, alpha=0.5, penalty=ElasticNet(0.4), positive=positive, solver=solver, tol=1e-13
    )
    n = D.shape[1]
    net = SklearnElasticNet(
        alpha=0.5 / n,
        l1_ratio=0.4,
        fit_intercept=False,
        positive=positive,
        tol=1e-12,
        max_iter=100_000,
    )
    np.testing.assert_allclose(Z, [net.fit(D.T, x).coef_ for x in X], atol=1e-7)
    objective = 0.5 * ((X - Z @ D) ** 2).sum(axis=1) + ElasticNet(0.4).value(Z, 0.5)
    np.testing.assert_allclose(info.objective_, objective, rtol=1e-12)


@solvers
@signs
def test_weights_are_the_lasso_on_scaled_atoms(problem, solver, positive, rng):
    X, D = problem
    weights = rng.uniform(0.5, 2.0, len(D))
    weighted = L1(weights=weights)
    Z, _ = codes_of(X, D, alpha=0.3, penalty=weighted, positive=positive, solver=solver, tol=1e-13)
    U, _ = codes_of(X, D / weights[:, np.newaxis], alpha=0.3, positive=positive, tol=1e-13)
    np.testing.assert_allclose(Z, U / weights, atol=1e-6)


@signs
def test_unpenalised_atoms_are_fitted_by_least_squares(problem, positive):
    X, D = problem
    weights = np.ones(len(D))
    weights[:3] = 0
    Z, info = codes_of(X, D, alpha=0.3, penalty=L1(weights=weights), positive=positive, tol=1e-12)
    assert kkt_violation(X, D, Z, 0.3 * weights, positive) < 1e-9
    assert info.dual_gap_.max() < 1e-12


@pytest.mark.parametrize("penalty", [L0(), Lq(0.5), Lq(2 / 3), Lq(0.3)], ids=str)
@pytest.mark.parametrize("solver", ["coordinate_descent", "fista", "ista"])
@signs
def test_nonconvex_codes_are_fixed_points_of_the_proximal_step(problem, penalty, solver, positive):
    X, D = problem
    Z, info = codes_of(X, D, alpha=0.3, penalty=penalty, solver=solver, positive=positive, tol=1e-9)
    step = 1 / np.linalg.norm(D, 2) ** 2
    to = penalty.prox(Z + step * (X - Z @ D) @ D.T, 0.3 * step, positive)
    residual = np.abs(Z - to).max(axis=1)
    scale = np.maximum(np.abs(Z).max(axis=1), step * np.abs(X @ D.T).max(axis=1))
    np.testing.assert_allclose(info.dual_gap_, residual / scale, atol=1e-12)
    assert info.dual_gap_.max() <= 1e-9
    objective = 0.5 * ((X - Z @ D) ** 2).sum(axis=1) + penalty.value(Z, 0.3)
    np.testing.assert_allclose(info.objective_, objective, rtol=1e-12)


def path_objectives(X, D, penalty, alpha):
    """The best objective on scikit-learn's matching pursuit paths."""
    best = 0.5 * (X**2).sum(axis=1)
    for size in range(1, 11):
        Z = orthogonal_mp_gram(D @ D.T, D @ X.T, n_nonzero_coefs=size).T
        objective = 0.5 * ((X - Z @ D) ** 2).sum(axis=1) + penalty.value(Z, alpha)
        best = np.minimum(best, objective)
    return best


@pytest.mark.parametrize("penalty", [L0(), Lq(0.5)], ids=str)
@pytest.mark.parametrize("solver", ["coordinate_descent", "fista", "ista"])
def test_nonconvex_codes_are_never_worse_than_the_matching_pursuit_path(problem, penalty, solver):
    X, D = problem
    X = X[:30]
    _, info = codes_of(X, D, alpha=0.3, penalty=penalty, solver=solver)
    assert (info.objective_ <= path_objectives(X, D, penalty, 0.3) + 1e-10).all()


def test_l0_codes_of_sparse_data_are_mostly_the_best_of_all_supports(rng):
    D = rng.standard_normal((9, 6))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    planted = rng.standard_normal((40, 9)) * (rng.random((40, 9)) < 0.2)
    X = 3 * planted @ D + 0.1 * rng.standard_normal((40, 6))
    best = 0.5 * (X**2).sum(axis=1)
    for size in range(1, 7):
        for support in itertools.combinations(range(9), size):
            rest = np.linalg.lstsq(D[list(support)].T, X.T)[1]
            residuals = rest if rest.size else np.zeros(len(X))
            best = np.minimum(best, 0.5 * residuals + 0.2 * size)
    _, info = codes_of(X, D, alpha=0.2, penalty="l0")
    assert (info.objective_ >= best - 1e-10).all()
    assert np.mean(info.objective_ <= best + 1e-10) > 0.8


@pytest.mark.parametrize("n_nonzero", [1, 4, 12])
def test_matching_pursuit_agrees_with_scikit_learn(problem, n_nonzero):
    X, D = problem
    Z, info = codes_of(X, D, penalty=AtMostNonzero(n_nonzero))
    expected = orthogonal_mp_gram(D @ D.T, D @ X.T, n_nonzero_coefs=n_nonzero).T
    np.testing.assert_allclose(Z, expected, atol=1e-10)
    assert info.dual_gap_.max() < 1e-10
    np.testing.assert_allclose(info.objective_, 0.5 * ((X - Z @ D) ** 2).sum(axis=1), rtol=1e-10)


def test_a_residual_bound_is_kept_by_as_few_steps_as_scikit_learn_takes(problem):
    X, D = problem
    Z, _ = codes_of(X, D, penalty=AtMostResidual(1.5))
    assert (np.linalg.norm(X - Z @ D, axis=1) <= 1.5).all()
    expected = orthogonal_mp_gram(D @ D.T, D @ X.T, tol=1.5**2, norms_squared=(X**2).sum(axis=1)).T
    np.testing.assert_allclose(Z, expected, atol=1e-10)


def test_a_warm_start_at_the_solution_takes_no_iteration(problem):
    X, D = problem
    coder = SparseCoder(D, alpha=0.3, n_jobs=1).fit(X)
    Z = coder.transform(X)
    for solver in CONVEX:
        again, info = coder.set_params(solver=solver).fit(X).encode(X, codes=Z, return_info=True)
        assert info.n_iter_.max() == 0
        np.testing.assert_allclose(again, Z, atol=1e-12)


def test_a_bad_warm_start_changes_nothing(problem, rng):
    X, D = problem
    for positive in (False, True):
        coder = SparseCoder(D, alpha=0.3, positive=positive, tol=1e-13, n_jobs=1).fit(X)
        start = rng.standard_normal((len(X), len(D)))
        np.testing.assert_allclose(coder.encode(X, codes=start), coder.transform(X), atol=1e-9)
