"""The kernels of sparse codes do what plain numpy does, the same bits for every thread count."""

import numpy as np
import pytest

from sklvm.kernels import (
    active_set_codes,
    coordinate_descent_codes,
    matching_pursuit_codes,
    power_penalty,
    proximal_map,
    proximal_step,
)


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


def test_active_sets_end_where_coordinate_descent_does(problem):
    gram, bound, C, norms = problem
    Z, expected = np.zeros_like(C), np.zeros_like(C)
    gaps, objectives, _ = active_set_codes(gram, bound, C, norms, Z, tol=1e-13)
    coordinate_descent_codes(
        gram, bound, C, norms, expected, lipschitz=1.0, tol=1e-13, max_iter=100_000
    )
    np.testing.assert_allclose(Z, expected, atol=1e-7)
    value = 0.5 * (norms - 2 * (C * Z).sum(axis=1) + (Z @ gram * Z).sum(axis=1))
    np.testing.assert_allclose(objectives, value + power_penalty(Z, bound), rtol=1e-12)
    assert gaps.max() <= 1e-13


@pytest.mark.parametrize("n_threads", [2, 3])
def test_bits_do_not_depend_on_threads(problem, n_threads):
    gram, bound, C, norms = problem

    def codes(n):
        by_active_set, by_descent = np.zeros_like(C), np.zeros_like(C)
        active_set_codes(gram, bound, C, norms, by_active_set, n_threads=n)
        coordinate_descent_codes(
            gram, bound, C, norms, by_descent, exponent=0.5, lipschitz=4.0, n_threads=n
        )
        by_pursuit = matching_pursuit_codes(gram, C, norms, max_nonzero=4, n_threads=n)[0]
        return by_active_set, by_descent, by_pursuit

    for one, other in zip(codes(1), codes(n_threads), strict=True):
        assert one.tobytes() == other.tobytes()


def test_bad_arguments_are_named(problem):
    gram, bound, C, norms = problem
    with pytest.raises(ValueError, match=r"gram must have shape \(70, 70\)"):
        active_set_codes(gram[:3], bound, C, norms, np.zeros_like(C))
    with pytest.raises(TypeError, match="bound must be of dtype float64"):
        active_set_codes(gram, bound.astype(np.float32), C, norms, np.zeros_like(C))
    with pytest.raises(ValueError, match="codes must be C-contiguous"):
        active_set_codes(gram, bound, C, norms, np.zeros_like(C, order="F"))
