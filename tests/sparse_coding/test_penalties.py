"""Each proximal map is the minimum that it claims to be, and each value the penalty of the text."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from sklvm.sparse_coding import L0, L1, ElasticNet, Lq

PENALTIES = [L1(), L0(), Lq(0.5), Lq(2 / 3), Lq(0.1), Lq(0.9), ElasticNet(0.3), ElasticNet(0.0)]
penalties = pytest.mark.parametrize("penalty", PENALTIES, ids=str)


def formula(penalty, z, alpha):
    """The penalty of a number, as its docstring has it."""
    size = abs(z)
    match penalty:
        case L0():
            return alpha * (size > 0)
        case Lq(q=q):
            return alpha * size**q
        case ElasticNet(l1_ratio=ratio):
            return alpha * (ratio * size + (1 - ratio) / 2 * size**2)
        case L1():
            return alpha * size


def least(penalty, x, alpha, positive):
    """The minimum of ½(z − x)² + penalty(z), by search."""

    def objective(z):
        return 0.5 * (z - x) ** 2 + formula(penalty, z, alpha)

    candidates = [0.0, x if x > 0 or not positive else 0.0]
    grid = np.linspace(0, x, 400)
    if x > 0 or not positive:
        start = grid[np.argmin([objective(z) for z in grid])]
        step = abs(grid[1])
        found = minimize_scalar(
            objective,
            bounds=(start - step, start + step),
            method="bounded",
            options={"xatol": 1e-12},
        )
        candidates.append(found.x)
    return min(map(objective, candidates))


@penalties
@pytest.mark.parametrize("positive", [False, True])
def test_the_prox_attains_the_minimum(penalty, positive):
    for alpha in (0.0, 0.1, 1.0):
        for x in (-3.0, -1.2, -0.3, 0.0, 0.05, 0.9, 1.4, 1.6, 2.5):
            z = penalty.prox([[x]], alpha, positive).item()
            assert not (positive and z < 0)
            reached = 0.5 * (z - x) ** 2 + formula(penalty, z, alpha)
            assert reached <= least(penalty, x, alpha, positive) + 1e-12


@pytest.mark.parametrize("q", [0.5, 2 / 3])
def test_closed_forms_agree_with_newton(q, rng):
    X = 4 * rng.normal(size=(50, 4))
    np.testing.assert_allclose(
        Lq(q).prox(X, 0.7), Lq(q + 1e-13).prox(X, 0.7), rtol=1e-10, atol=1e-10
    )


@penalties
def test_values_are_sums_over_components(penalty, rng):
    Z = rng.normal(size=(5, 3)) * (rng.random((5, 3)) < 0.5)
    expected = [sum(formula(penalty, z, 0.7) for z in row) for row in Z]
    np.testing.assert_allclose(penalty.value(Z, 0.7), expected, rtol=1e-13)


@penalties
def test_weights_scale_the_strength_of_each_component(penalty, rng):
    Z, weights = 2 * rng.normal(size=(5, 3)), np.array([0.0, 0.5, 2.0])
    weighted = type(penalty)(**{**penalty.get_params(), "weights": weights})
    one_by_one = [penalty.prox(Z[:, [k]], 0.7 * weights[k]) for k in range(3)]
    np.testing.assert_allclose(weighted.prox(Z, 0.7), np.hstack(one_by_one))
    values = sum(penalty.value(Z[:, [k]], 0.7 * weights[k]) for k in range(3))
    np.testing.assert_allclose(weighted.value(Z, 0.7), values)


@pytest.mark.parametrize(
    "weights, message", [([1.0], "shape"), ([1, -1, 1], "non-negative"), ([1, np.nan, 1], "finite")]
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=f"'weights' of L1 must .*{message}"):
        L1(weights=weights).prox(np.zeros((2, 3)))
