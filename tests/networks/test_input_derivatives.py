"""Gradient and Laplacian of a network in its input, and the norms that the Laplacian needs."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.networks import (
    InputDerivatives,
    MultiLayerPerceptron,
    _gradient_norms,
    directional_slopes,
    gradient_norms,
)
from sklvm.networks._gradient_norms import (
    _second_layer,
    _second_layer_in_tiles,
    _upper_layers,
)
from sklvm.testing import assert_is_gradient, numerical_jacobian

NETWORKS = {
    "one layer": MultiLayerPerceptron((3, 4), ["softplus"]),
    "two layers": MultiLayerPerceptron((3, 5, 4), ["sigmoid", "softplus"]),
    "wide, then narrow": MultiLayerPerceptron((3, 7, 2), ["tanh", "tanh"], [False, False]),
    "three layers": MultiLayerPerceptron((3, 5, 4, 2), ["tanh", "softplus", "sigmoid"]),
    "four layers": MultiLayerPerceptron((3, 2, 4, 3, 2), ["sigmoid", "tanh"] * 2),
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def network(request):
    return request.param


def derivatives(network, theta, X, squared_slopes=gradient_norms):
    views = network.layout.views(theta)
    return InputDerivatives(network, views, network.forward(views, X), squared_slopes)


def along(directions):
    return partial(directional_slopes, directions=directions)


def test_gradient_and_laplacian_are_those_of_finite_differences(network, rng):
    theta = rng.standard_normal(network.layout.size)
    X = rng.standard_normal((5, 3))
    inner = derivatives(network, theta, X)

    def summed(x):
        return network.forward(network.layout.views(theta), x[np.newaxis]).output.sum()

    def gradient(x):
        return derivatives(network, theta, x[np.newaxis], None).gradient[0]

    for i, x in enumerate(X):
        assert_allclose(inner.gradient[i], numerical_jacobian(summed, x), rtol=1e-7, atol=1e-9)
        trace = np.trace(numerical_jacobian(gradient, x))
        assert_allclose(inner.curvature[i], trace, rtol=1e-7, atol=1e-9)


def test_the_curvature_along_directions_is_that_of_the_numerical_hessian(network, rng):
    theta = rng.standard_normal(network.layout.size)
    X, directions = rng.standard_normal((5, 3)), rng.standard_normal((2, 5, 3))
    curvature = derivatives(network, theta, X, along(directions)).curvature

    def gradient(x):
        return derivatives(network, theta, x[np.newaxis], None).gradient[0]

    for i, x in enumerate(X):
        hessian = numerical_jacobian(gradient, x)
        expected = sum(v @ hessian @ v for v in directions[:, i])
        assert_allclose(curvature[i], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("second", ["none", "laplacian", "along directions"])
def test_the_pullback_is_the_gradient(network, second, rng):
    theta = rng.standard_normal(network.layout.size)
    X, V = rng.standard_normal((2, 5, 3))
    w = None if second == "none" else rng.standard_normal(5)
    slopes = {
        "none": None,
        "laplacian": gradient_norms,
        "along directions": along(rng.standard_normal((2, 5, 3))),
    }[second]
    gradient = np.full_like(theta, np.nan)
    derivatives(network, theta, X, slopes).pullback(V, w, network.layout.views(gradient))

    def pulled(t):
        inner = derivatives(network, t, X, slopes)
        return np.vdot(V, inner.gradient) + (0.0 if w is None else w @ inner.curvature)

    assert_is_gradient(gradient, pulled, theta, network.layout)


def test_the_norms_are_those_of_the_numerical_jacobians(rng):
    coefs = [rng.standard_normal(shape) for shape in ((4, 3), (5, 4), (2, 5))]
    u_0, u_1 = rng.standard_normal((6, 4)), rng.standard_normal((6, 5))
    norms, _ = gradient_norms(coefs, [1 - np.tanh(u_0) ** 2, 1 - np.tanh(u_1) ** 2])
    for i in range(6):
        # ∂u₂/∂x and ∂u₃/∂x along the chain of layers, d columns wide.
        second = coefs[1] @ np.diag(1 - np.tanh(u_0[i]) ** 2) @ coefs[0]
        third = coefs[2] @ np.diag(1 - np.tanh(u_1[i]) ** 2) @ second
        assert_allclose(norms[1][i], (second**2).sum(axis=1), rtol=1e-12)
        assert_allclose(norms[2][i], (third**2).sum(axis=1), rtol=1e-12)
    assert_allclose(norms[0], (coefs[0] ** 2).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("closed_form, width", [(_second_layer, 5), (_second_layer_in_tiles, 21)])
def test_the_closed_form_for_two_layers_is_the_recursion_for_any_depth(
    closed_form, width, rng, monkeypatch
):
    monkeypatch.setattr(_gradient_norms, "_TILE_ENTRIES", 1)  # tiles of 8 units
    V, W, first = (rng.standard_normal(shape) for shape in ((width, 3), (4, width), (7, width)))
    norms_bar = rng.standard_normal((7, 4))
    gram = V @ V.T
    (closed,), closed_pullback = closed_form(W, first, gram)
    (recursive,), recursive_pullback = _upper_layers([V, W], [first], gram)
    assert_allclose(closed, recursive, rtol=1e-12)
    gram_bar, (W_bar,), (first_bar,) = closed_pullback([norms_bar])
    gram_bar_2, (W_bar_2,), (first_bar_2,) = recursive_pullback([norms_bar])
    assert_allclose(gram_bar + gram_bar.T, gram_bar_2 + gram_bar_2.T, rtol=1e-11, atol=1e-11)
    assert_allclose(W_bar, W_bar_2, rtol=1e-11, atol=1e-11)
    assert_allclose(first_bar, first_bar_2, rtol=1e-11, atol=1e-11)
