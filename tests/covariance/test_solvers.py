"""The solvers find the optimum of their criterion over matrices with given zeros."""

import numpy as np
import pytest
from scipy.optimize import minimize

from sklvm.covariance._solvers import (
    CliqueSum,
    solve_full,
    solve_maximum_likelihood,
    solve_score_matching,
)
from sklvm.covariance._solvers._clique_sum import clique_cover
from sklvm.graphs import SymmetricPattern, lattice_mask


def random_covariance(n_features, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((n_features, n_features)) + np.eye(n_features)
    return factor @ factor.T / n_features


def random_mask(n_features, density, seed=0):
    mask = np.random.default_rng(seed).random((n_features, n_features)) < density / 2
    return mask | mask.T | np.eye(n_features, dtype=bool)


def cycle_mask(n_features):
    distance = np.subtract.outer(np.arange(n_features), np.arange(n_features)) % n_features
    return (distance <= 1) | (distance == n_features - 1)


MASKS = {
    "lattice": lattice_mask((3, 4), 1),
    "chordless cycle": cycle_mask(8),
    "random": random_mask(9, 0.5),
    "one zero": ~np.isin(np.arange(36).reshape(6, 6), [9, 19]),
    "isolated feature": np.kron(np.eye(2, dtype=bool), np.ones((2, 2), bool))[:3, :3],
}
masks = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def minimize_freely(criterion, mask, start):
    """A general solver on the free entries: BFGS with its own finite differences left out."""
    rows, columns = np.nonzero(np.triu(mask))

    def unpack(free):
        precision = np.zeros(mask.shape)
        precision[rows, columns] = precision[columns, rows] = free
        return precision

    def value_and_gradient(free):
        value, gradient = criterion(unpack(free))
        return value, np.where(rows == columns, 1, 2) * gradient[rows, columns]

    solution = minimize(
        value_and_gradient, start[rows, columns], jac=True, method="BFGS", options={"gtol": 1e-9}
    )
    return unpack(solution.x)


@masks
def test_maximum_likelihood_agrees_with_a_general_solver(mask):
    covariance = random_covariance(len(mask))

    def negative_log_likelihood(precision):
        sign, log_determinant = np.linalg.slogdet(precision)
        if sign < 0 or np.linalg.eigvalsh(precision)[0] <= 0:
            return np.inf, np.zeros_like(precision)
        value = (precision * covariance).sum() - log_determinant
        return value, covariance - np.linalg.inv(precision)

    start = np.diag(1 / np.diag(covariance))
    expected = minimize_freely(negative_log_likelihood, mask, start)
    solution = solve_maximum_likelihood(covariance, SymmetricPattern(mask), tol=1e-10, max_iter=100)
    np.testing.assert_allclose(solution.precision, expected, rtol=1e-5, atol=1e-6)


@masks
def test_the_most_likely_model_has_the_covariances_of_the_data_where_it_is_free(mask):
    covariance = random_covariance(len(mask)) * np.outer(s := 10.0 ** np.arange(len(mask)), s)
    solution = solve_maximum_likelihood(covariance, SymmetricPattern(mask), tol=1e-10, max_iter=100)
    modelled = np.linalg.inv(solution.precision)
    np.testing.assert_allclose(modelled[mask], covariance[mask], rtol=1e-7, atol=1e-9)
    assert solution.residual <= 1e-10


@masks
def test_score_matching_without_an_active_bound_agrees_with_linear_algebra(mask):
    covariance = np.eye(len(mask)) + 0.1 * random_covariance(len(mask))
    n = len(mask)
    # Each free entry is one column of the least-squares problem of which this is the normal
    # equation.
    pairs = np.argwhere(np.triu(mask))
    basis = np.zeros((len(pairs), n, n))
    for k, (i, j) in enumerate(pairs):
        basis[k, i, j] = basis[k, j, i] = 1
    normal = np.einsum("kab,bc,lca->kl", basis, covariance, basis)
    free = np.linalg.solve((normal + normal.T) / 2, np.einsum("kaa->k", basis))
    expected = np.einsum("k,kab->ab", free, basis)
    assert np.linalg.eigvalsh(expected)[0] > 1e-2
    solution = solve_score_matching(
        covariance, SymmetricPattern(mask), min_precision=1e-2, tol=1e-10, max_iter=100
    )
    np.testing.assert_allclose(solution.precision, expected, rtol=1e-7, atol=1e-8)


@masks
def test_score_matching_in_the_cone_agrees_with_a_general_solver(mask):
    cvxpy = pytest.importorskip("cvxpy")
    covariance, bound = random_covariance(len(mask)), 0.8
    root = np.linalg.cholesky(covariance)
    precision = cvxpy.Variable(mask.shape, symmetric=True)
    problem = cvxpy.Problem(
        cvxpy.Minimize(cvxpy.sum_squares(precision @ root) / 2 - cvxpy.trace(precision)),
        [precision[i, j] == 0 for i, j in np.argwhere(~mask)]
        + [precision >> bound * np.eye(len(mask))],
    )
    problem.solve(solver="CLARABEL")
    solution = solve_score_matching(
        covariance, SymmetricPattern(mask), min_precision=bound, tol=1e-8, max_iter=300
    )
    np.testing.assert_allclose(solution.precision, precision.value, rtol=1e-3, atol=1e-4)
    assert np.linalg.eigvalsh(solution.precision)[0] >= bound * (1 - 1e-9)


def test_no_feasible_direction_descends_from_the_solution_of_score_matching():
    mask, bound = MASKS["lattice"], 0.8
    covariance = random_covariance(len(mask))
    precision = solve_score_matching(
        covariance, SymmetricPattern(mask), min_precision=bound, tol=1e-9, max_iter=300
    ).precision
    gradient = (covariance @ precision + precision @ covariance) / 2 - np.eye(len(mask))
    rng = np.random.default_rng(0)
    for _ in range(200):
        other = np.where(mask, rng.standard_normal(mask.shape), 0)
        other = other + other.T
        other += (bound - np.linalg.eigvalsh(other)[0]) * np.eye(len(mask))
        assert (gradient * (other - precision)).sum() >= -1e-6


def test_zeros_are_exact_and_the_matrix_symmetric():
    mask = MASKS["lattice"]
    covariance, pattern = random_covariance(len(mask)), SymmetricPattern(mask)
    for solution in (
        solve_maximum_likelihood(covariance, pattern, tol=1e-6, max_iter=100),
        solve_score_matching(covariance, pattern, min_precision=0.5, tol=1e-6, max_iter=100),
    ):
        assert not solution.precision[~mask].any()
        np.testing.assert_array_equal(solution.precision, solution.precision.T)


def test_score_matching_without_zeros_clips_the_eigenvalues():
    covariance = random_covariance(5)
    bound = float(np.median(1 / np.linalg.eigvalsh(covariance)))
    one_zero = np.ones((5, 5), dtype=bool)
    pattern = SymmetricPattern(one_zero)
    iterated = solve_score_matching(
        covariance, pattern, min_precision=bound, tol=1e-10, max_iter=300
    )
    closed = solve_full(covariance, min_precision=bound)
    np.testing.assert_allclose(iterated.precision, closed.precision, rtol=1e-6, atol=1e-7)


@masks
def test_the_cliques_hold_every_free_entry_and_nothing_else(mask):
    covered = np.zeros_like(mask)
    for clique in clique_cover(mask):
        assert mask[np.ix_(clique, clique)].all()
        covered[np.ix_(clique, clique)] = True
    np.testing.assert_array_equal(covered, mask)


def test_the_cliques_of_a_lattice_are_its_windows():
    cliques = clique_cover(lattice_mask((5, 6), 2))
    assert len(cliques) == 3 * 4
    assert {len(clique) for clique in cliques} == {9}


def test_on_one_clique_the_approximate_inverses_are_exact():
    pattern = SymmetricPattern(np.ones((4, 4), dtype=bool))
    matrix, v = random_covariance(4), np.arange(1.0, 11.0)
    V = pattern.dense(v)
    sandwich = pattern.gather(matrix @ V @ matrix)
    np.testing.assert_allclose(CliqueSum(pattern).invert_sandwich(matrix)(sandwich), v)
    anticommutator = pattern.gather((matrix @ V + V @ matrix) / 2)
    np.testing.assert_allclose(CliqueSum(pattern).invert_anticommutator(matrix)(anticommutator), v)
