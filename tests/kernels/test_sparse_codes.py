"""The kernels of sparse codes do what plain numpy does, the same bits for every thread count."""

import numpy as np
import pytest
from scipy import sparse

from sklvm.kernels import (
    ActiveSetCoder,
    coordinate_descent_codes,
    matching_pursuit_codes,
    power_penalty,
    proximal_map,
    proximal_step,
)


@pytest.fixture
def dictionary_problem(rng):
    """Unit atoms, data and bound."""
    D = rng.standard_normal((70, 30))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    return D, rng.standard_normal((40, 30)), rng.uniform(0.3, 0.6, 70)


@pytest.fixture
def problem(rng):
    """Gram matrix, bound, correlations and squared norms."""
    D = rng.standard_normal((70, 30))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    X = rng.standard_normal((40, 30))
    return D @ D.T, rng.uniform(0.3, 0.6, 70), X @ D.T, (X**2).sum(axis=1)


def prox(x, t, q, positive=False):
    """By a fine search between zero and x."""
    z = np.linspace(0, x, 200_001)
    objective = 0.5 * (z - x) ** 2 + t * np.abs(z) ** q * (z != 0)
    best = z[np.argmin(objective)]
    return 0.0 if positive and x < 0 else best


@pytest.mark.parametrize("q", [0.0, 0.25, 0.5, 2 / 3, 1.0])
@pytest.mark.parametrize("positive", [False, True])
def test_proximal_map(q, positive):
    X = np.array([[-2.3, 0.4], [1.9, -1.1], [0.0, 3.0]])
    thresholds = np.array([0.7, 0.2])
    expected = [
        [prox(x, t, q, positive) for x, t in zip(row, thresholds, strict=True)] for row in X
    ]
    np.testing.assert_allclose(proximal_map(X, thresholds, q, positive), expected, atol=2e-5)


def test_power_penalty(rng):
    Z = rng.standard_normal((6, 4)) * (rng.random((6, 4)) < 0.6)
    bound = rng.random(4)
    np.testing.assert_allclose(power_penalty(Z, bound, 0.0), (Z != 0) @ bound)
    np.testing.assert_allclose(power_penalty(Z, bound, 0.4), np.abs(Z) ** 0.4 * (Z != 0) @ bound)


def test_one_epoch_of_coordinate_descent(problem):
    gram, bound, C, norms = problem
    Z = np.zeros_like(C)
    coordinate_descent_codes(gram, bound, C, norms, Z, lipschitz=1.0, max_iter=1)
    expected = np.zeros_like(C)
    for k in range(len(gram)):
        x = C[:, k] - expected @ gram[:, k] + expected[:, k]
        expected[:, k] = np.sign(x) * np.maximum(np.abs(x) - bound[k], 0)
    np.testing.assert_allclose(Z, expected, atol=1e-13)


def test_steps_of_fista(problem):
    gram, bound, C, norms = problem
    lipschitz = np.linalg.eigvalsh(gram)[-1]
    Z = last = np.zeros_like(C)
    products = last_products = np.zeros_like(C)
    momenta, objectives = np.ones(len(C)), np.full(len(C), np.inf)
    t = np.ones(len(C))
    z, before = Z, Z
    for _ in range(20):
        last, last_products = last.copy(), last_products.copy()
        proximal_step(
            C,
            norms,
            Z.copy(),
            last,
            products.copy(),
            last_products,
            momenta,
            objectives,
            bound=bound,
            exponent=1.0,
            positive=False,
            lipschitz=lipschitz,
            tol=0.0,
        )
        Z, last = last, Z
        products, last_products = Z @ gram, products

        following = 0.5 * (1 + np.sqrt(1 + 4 * t**2))
        y = z + ((t - 1) / following)[:, np.newaxis] * (z - before)
        x = y + (C - y @ gram) / lipschitz
        after = np.sign(x) * np.maximum(np.abs(x) - bound / lipschitz, 0)
        uphill = ((y - after) * (after - z)).sum(axis=1) > 0
        t = np.where(uphill, 1.0, following)
        z, before = after, z
        np.testing.assert_allclose(Z, z, atol=1e-12)


def test_matching_pursuit(problem):
    gram, _, C, norms = problem
    Z, _, objectives, _ = matching_pursuit_codes(gram, C, norms, max_nonzero=5)
    for c, z, norm, objective in zip(C, Z, norms, objectives, strict=True):
        support, a = [], np.zeros(0)
        for _ in range(5):
            g = c - a @ gram[support]
            support.append(int(np.argmax(np.abs(g))))
            a = np.linalg.solve(gram[np.ix_(support, support)], c[support])
        expected = np.zeros(len(c))
        expected[support] = a
        np.testing.assert_allclose(z, expected, atol=1e-12)
        assert objective == pytest.approx(0.5 * (norm - c[support] @ a), rel=1e-10)


def dense(rows, n_atoms):
    indptr = np.concatenate([[0], rows.ends])
    return sparse.csr_array((rows.values, rows.atoms, indptr), (len(rows.ends), n_atoms)).toarray()


def test_active_sets_end_where_coordinate_descent_does(dictionary_problem):
    D, X, bound = dictionary_problem
    gram, C, norms = D @ D.T, X @ D.T, (X**2).sum(axis=1)
    rows = ActiveSetCoder(D, gram, bound).codes(X, tol=1e-13)
    expected = np.zeros_like(C)
    coordinate_descent_codes(
        gram, bound, C, norms, expected, lipschitz=1.0, tol=1e-13, max_iter=100_000
    )
    Z = dense(rows, len(D))
    np.testing.assert_allclose(Z, expected, atol=1e-7)
    value = 0.5 * ((X - Z @ D) ** 2).sum(axis=1)
    np.testing.assert_allclose(rows.objectives, value + power_penalty(Z, bound), rtol=1e-12)
    assert rows.gaps.max() <= 1e-13
    for begin, end in zip([0, *rows.ends], rows.ends, strict=False):
        assert (np.diff(rows.atoms[begin:end]) > 0).all()


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_precision_does_not_depend_on_the_units(dictionary_problem, scale):
    # Beyond what single precision holds, passes over the atoms are of double.
    D, X, bound = dictionary_problem
    expected = dense(ActiveSetCoder(D, D @ D.T, bound).codes(X, tol=1e-12), len(D))
    scaled = ActiveSetCoder(scale * D, scale**2 * D @ D.T, scale**2 * bound)
    Z = dense(scaled.codes(scale * X, tol=1e-12), len(D))
    np.testing.assert_allclose(Z, expected, atol=1e-12)


def test_atoms_that_single_precision_leaves_in_doubt_are_settled_in_double(dictionary_problem):
    """An atom within a hair of its bound is in the support if, and only if, it exceeds that."""
    D, X, bound = dictionary_problem
    coder = ActiveSetCoder(D, D @ D.T, bound)
    Z = dense(coder.codes(X, tol=1e-14), len(D))
    g = np.abs((X - Z @ D) @ D.T)
    k = np.argmax(np.where(Z[0] == 0, g[0] / bound, 0))
    for hair in (-1e-11, 1e-11):
        near = bound.copy()
        near[k] = g[0, k] * (1 + hair)
        codes = dense(ActiveSetCoder(D, D @ D.T, near).codes(X[:1], tol=1e-14), len(D))
        assert (codes[0, k] != 0) == (hair < 0)


def test_long_codes_are_gathered_in_parts(rng):
    X = rng.standard_normal((40, 300))
    rows = ActiveSetCoder(np.eye(300), np.eye(300), np.full(300, 1e-3)).codes(X)
    expected = np.sign(X) * np.maximum(np.abs(X) - 1e-3, 0)
    np.testing.assert_allclose(dense(rows, 300), expected, atol=1e-14)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_bits_do_not_depend_on_threads(problem, n_threads):
    gram, bound, C, norms = problem

    def codes(n):
        by_descent = np.zeros_like(C)
        coordinate_descent_codes(
            gram, bound, C, norms, by_descent, exponent=0.5, lipschitz=4.0, n_threads=n
        )
        by_pursuit = matching_pursuit_codes(gram, C, norms, max_nonzero=4, n_threads=n)[0]
        return by_descent, by_pursuit

    for one, other in zip(codes(1), codes(n_threads), strict=True):
        assert one.tobytes() == other.tobytes()


def test_bad_arguments_are_named(problem):
    gram, bound, C, norms = problem
    codes = np.zeros_like(C)

    def descend(gram, bound, codes):
        coordinate_descent_codes(gram, bound, C, norms, codes, lipschitz=1.0)

    with pytest.raises(ValueError, match=r"gram must have shape \(70, 70\)"):
        descend(gram[:3], bound, codes)
    with pytest.raises(TypeError, match="bound must be of dtype float64"):
        descend(gram, bound.astype(np.float32), codes)
    with pytest.raises(ValueError, match="codes must be C-contiguous"):
        descend(gram, bound, np.zeros_like(C, order="F"))
    with pytest.raises(ValueError, match=r"gram must have shape \(2, 2\)"):
        ActiveSetCoder(np.eye(2), np.eye(3), np.ones(2))
    with pytest.raises(TypeError, match="X must be of dtype float64"):
        ActiveSetCoder(np.eye(2), np.eye(2), np.ones(2)).codes(np.eye(2, dtype=np.float32))


@pytest.mark.parametrize("n_atoms", [2, 63, 64, 65])
@pytest.mark.parametrize("positive", [False, True])
def test_active_sets_find_no_atom_beyond_the_last(n_atoms, positive, rng):
    """Not where the error bound of the correlations is infinite, so that all atoms are in doubt."""
    D = rng.standard_normal((n_atoms, 3))
    X = np.vstack([rng.standard_normal((20, 3)), [[1e153, -1e153, 1e152]]])
    coder = ActiveSetCoder(D * 1e155, np.full((n_atoms, n_atoms), np.inf), np.ones(n_atoms))
    for gram_coder in (coder, ActiveSetCoder(D, D @ D.T, np.full(n_atoms, 0.1), positive=positive)):
        with np.errstate(all="ignore"):
            rows = gram_coder.codes(X, max_iter=20)
        assert rows.atoms.min(initial=0) >= 0 and rows.atoms.max(initial=0) < n_atoms
        assert np.all(np.diff(rows.ends) >= 0)


def test_squares_that_overflow_are_refused(rng):
    D = rng.standard_normal((3, 2))
    with pytest.raises(ValueError, match=r"entries of up to 2e\+155.*Scale the data"):
        ActiveSetCoder(D, D @ D.T, np.ones(3)).codes(np.array([[1.0, 2e155], [0.0, 0.0]]))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("alpha, ridge", [(0.3, 0.0), (0.2, 0.5), (1e-9, 0.0)])
def test_gaps_are_features_that_do_not_exist(share, positive, alpha, ridge, rng):
    D = rng.standard_normal((70, 30))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    X = rng.standard_normal((40, 30))
    X[rng.random(X.shape) < share] = np.nan
    X[0] = np.nan
    bound, ridges = np.full(70, alpha), np.full(70, ridge)

    def coder(atoms):
        gram = atoms @ atoms.T + np.diag(ridges)
        rank = 70 if ridge else min(atoms.shape)
        return ActiveSetCoder(atoms, gram, bound, positive=positive, rank=rank, ridge=ridges)

    rows = coder(D).codes(X, tol=1e-9)
    assert rows.ends[0] == 0 and rows.objectives[0] == 0
    for i, x in enumerate(X[1:], start=1):
        known = ~np.isnan(x)
        if not known.any():
            continue
        alone = coder(np.ascontiguousarray(D[:, known])).codes(x[np.newaxis, known], tol=1e-9)
        scale = 0.5 * x[known] @ x[known]
        assert abs(alone.objectives[0] - rows.objectives[i]) < 1e-7 * scale
        assert rows.gaps[i] <= 1e-6
        z = np.zeros(70)
        some = slice(rows.ends[i - 1], rows.ends[i])
        z[rows.atoms[some]] = rows.values[some]
        residual = x[known] - z @ D[:, known]
        value = 0.5 * (residual @ residual + ridge * z @ z) + alpha * np.abs(z).sum()
        assert abs(value - rows.objectives[i]) < 1e-7 * scale
