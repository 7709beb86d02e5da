"""The least l1 norm within a residual is what linear programming, and duality, say it is."""

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from sklvm import SparseCoder
from sklvm.sparse_coding import BasisPursuit

signs = pytest.mark.parametrize("positive", [False, True])


def encode(X, D, residual, weights=None, **params):
    penalty = BasisPursuit(residual, weights=weights)
    return SparseCoder(D, penalty=penalty, n_jobs=1, **params).fit(X).encode(X, return_info=True)


def reachable(rng, D, positive):
    """Data that non-negative codes reach too."""
    Z = rng.standard_normal((30, len(D)))
    X = (np.abs(Z) if positive else Z) @ D
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@signs
@pytest.mark.parametrize("residual", [0.02, 0.3, 0.9])
def test_the_residual_is_kept_and_no_code_is_shorter(problem, rng, residual, positive):
    _, D = problem
    X, weights = reachable(rng, D, positive), rng.uniform(0.5, 2, len(D))
    Z, info = encode(X, D, residual, weights, positive=positive, tol=1e-8)
    rest = X - Z @ D
    norms = np.linalg.norm(rest, axis=1)
    assert (norms <= residual).all()
    assert not positive or (Z >= 0).all()
    # Any ν with ν Dᵀ ≤ weights (and ≥ −weights) bounds the length of every such code from below.
    g = rest @ D.T / weights
    nu = rest / (g if positive else np.abs(g)).max(axis=1, keepdims=True)
    bound = (nu * X).sum(axis=1) - residual * np.linalg.norm(nu, axis=1)
    lengths = np.abs(Z) @ weights
    np.testing.assert_allclose(info.objective_, lengths, rtol=1e-12)
    assert ((lengths - bound) / lengths).max() < 1e-8
    assert info.dual_gap_.max() <= 1e-8


@signs
def test_without_a_residual_it_is_a_linear_program(problem, rng, positive):
    _, D = problem
    X = reachable(rng, D, positive)[:6]
    Z, info = encode(X, D, 0.0, positive=positive, tol=1e-7)
    np.testing.assert_allclose(Z @ D, X, atol=1e-7)
    for x, z in zip(X, Z, strict=True):
        both = np.vstack([D, -D])[: len(D) if positive else None]
        program = linprog(np.ones(len(both)), A_eq=both.T, b_eq=x, bounds=(0, None))
        assert np.abs(z).sum() == pytest.approx(program.fun, rel=1e-6)
    assert info.dual_gap_.max() <= 1e-7


def test_each_code_is_a_lasso_of_its_own_strength(problem):
    X, D = problem
    Z, _ = encode(X, D, 1.5, tol=1e-10)
    for x, z in zip(X[:10], Z[:10], strict=True):
        alpha = np.abs((x - z @ D) @ D.T).max()
        lasso = SparseCoder(D, alpha=alpha, tol=1e-12).fit(X)
        np.testing.assert_allclose(lasso.transform(x[np.newaxis])[0], z, atol=1e-6)


def test_data_within_the_residual_have_zero_codes(problem):
    X, D = problem
    Z, info = encode(X, D, np.linalg.norm(X, axis=1).max())
    assert not Z.any() and not info.dual_gap_.any() and not info.objective_.any()


def test_a_residual_that_no_code_reaches_is_reported(problem):
    X, D = problem
    with pytest.warns(ConvergenceWarning, match="80 of 80 samples"):
        _, info = encode(X, D[:5], 0.1)
    least = np.linalg.lstsq(D[:5].T, X.T)[1] ** 0.5
    excess = (least - 0.1) / np.linalg.norm(X, axis=1)
    np.testing.assert_allclose(info.dual_gap_, excess, rtol=1e-4)


def test_given_codes_missing_entries_and_sparse_output(problem, rng):
    X, D = problem
    Z, _ = encode(X, D, 1.0, tol=1e-10)
    coder = SparseCoder(D, penalty=BasisPursuit(1.0), sparse_output=True, tol=1e-10).fit(X)
    np.testing.assert_allclose(coder.encode(X, codes=Z).toarray(), Z, atol=1e-7)
    holed = X[:5].copy()
    holed[:, 3] = np.nan
    alone, _ = encode(np.delete(holed, 3, axis=1), np.delete(D, 3, axis=1), 1.0, tol=1e-10)
    np.testing.assert_allclose(coder.transform(holed).toarray(), alone, atol=1e-7)


def test_bad_parameters_are_named(problem):
    X, D = problem
    with pytest.raises(ValueError, match="'weights' of BasisPursuit must be positive"):
        encode(X, D, 1.0, np.zeros(len(D)))
    with pytest.raises(ValueError, match="'residual' parameter of BasisPursuit"):
        encode(X, D, -1.0)
    with pytest.raises(ValueError, match="solver='omp' does not fit"):
        encode(X, D, 1.0, solver="omp")


def test_no_residual_and_no_tolerance_at_all(rng):
    D, X = rng.standard_normal((20, 10)), rng.standard_normal((5, 10))
    Z, _ = encode(X, D, 0.0, tol=0.0)
    np.testing.assert_allclose(Z @ D, X, atol=1e-7)
    shortest, _ = encode(X, D, 0.0, tol=1e-6)
    np.testing.assert_allclose(np.abs(Z).sum(axis=1), np.abs(shortest).sum(axis=1), rtol=1e-4)
