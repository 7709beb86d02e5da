"""The perceptron's products with its Jacobian are those of finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.kernels import _sparse_products
from sklvm.networks import ACTIVATIONS, MultiLayerPerceptron
from sklvm.testing import assert_is_gradient, numerical_jacobian

NETWORKS = {
    "one layer": MultiLayerPerceptron((3, 2), ["sigmoid"]),
    "two layers": MultiLayerPerceptron((3, 5, 2), ["tanh", "softplus"], [False, True]),
    "rectified": MultiLayerPerceptron((3, 6, 2), ["relu", "identity"]),
    "skips zeros": MultiLayerPerceptron((3, 5, 2), ["tanh", "sigmoid"], skip_zeros=True),
    "three layers": MultiLayerPerceptron((3, 4, 5, 2), ["sigmoid", "softplus", "tanh"]),
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def network(request):
    return request.param


@pytest.fixture
def theta(network, rng):
    return rng.standard_normal(network.layout.size)


def output(network, theta, X):
    return network.forward(network.layout.views(theta), X).output


def by_name(network):
    gradient = np.full(network.layout.size, np.nan)
    return gradient, network.layout.views(gradient)


def test_the_value_is_the_composition_of_its_layers(rng):
    network = NETWORKS["two layers"]
    V, W, c = rng.standard_normal((5, 3)), rng.standard_normal((2, 5)), rng.standard_normal(2)
    theta = network.layout.pack(coefs_0=V, coefs_1=W, intercepts_1=c)
    X = rng.standard_normal((6, 3))
    expected = np.log1p(np.exp(np.tanh(X @ V.T) @ W.T + c))
    assert_allclose(output(network, theta, X), expected, rtol=1e-12)


def test_vjp_in_the_parameters_is_the_gradient(network, theta, rng):
    X, U = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    views = network.layout.views(theta)
    gradient, out = by_name(network)
    assert network.vjp(views, network.forward(views, X), U, out) is None
    assert_is_gradient(gradient, lambda t: np.vdot(U, output(network, t, X)), theta, network.layout)


def test_vjp_of_the_preactivation_is_the_gradient(network, theta, rng):
    X, U = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    views = network.layout.views(theta)
    gradient, out = by_name(network)
    network.vjp_preactivation(views, network.forward(views, X), U, out)

    def pulled(t):
        return np.vdot(U, network.forward(network.layout.views(t), X).preactivations[-1])

    assert_is_gradient(gradient, pulled, theta, network.layout)


@pytest.fixture
def zeros_pay(monkeypatch):
    """Zeros are skipped in small products too, and the numbers of products that did so counted."""
    monkeypatch.setattr(_sparse_products, "MIN_MULTIPLICATIONS", 0)
    monkeypatch.setattr(_sparse_products, "effective_n_threads", lambda: 1)
    calls, loop = [], _sparse_products.product_loop
    monkeypatch.setattr(
        _sparse_products, "product_loop", lambda *args: (calls.append(args), loop(*args))
    )
    return calls


def mostly_zero(rng, shape, dtype=np.float64):
    X = (rng.standard_normal(shape) * (rng.random(shape) < 0.2)).astype(dtype)
    X[1] = 0
    return X


def test_vjp_in_the_parameters_is_the_gradient_where_zeros_are_skipped(rng, zeros_pay):
    network = NETWORKS["skips zeros"]
    theta = rng.standard_normal(network.layout.size)
    X, U = mostly_zero(rng, (8, 3)), rng.standard_normal((8, 2))
    views = network.layout.views(theta)
    gradient, out = by_name(network)
    network.vjp(views, network.forward(views, X), U, out)
    assert len(zeros_pay) == 2
    assert_is_gradient(gradient, lambda t: np.vdot(U, output(network, t, X)), theta, network.layout)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("zeros", [True, False])
def test_inputs_with_zeros_and_without_have_the_products_of_float64(rng, zeros_pay, dtype, zeros):
    network = MultiLayerPerceptron((90, 70, 4), ["tanh", "identity"], skip_zeros=True)
    theta = rng.standard_normal(network.layout.size).astype(dtype) / 10
    X = mostly_zero(rng, (50, 90), dtype) if zeros else rng.random((50, 90), dtype=dtype) + 1
    U = rng.standard_normal((50, 4)).astype(dtype)
    views = network.layout.views(theta)
    gradient = np.full_like(theta, np.nan)
    passed = network.forward(views, X)
    network.vjp(views, passed, U, network.layout.views(gradient))
    assert len(zeros_pay) == 2 * zeros

    V, a, W, b = (view.astype(np.float64) for view in views.values())
    h = np.tanh(X @ V.T + a)
    u_bar = (U @ W) * (1 - h**2)
    expected = network.layout.pack(
        coefs_0=u_bar.T @ X, intercepts_0=u_bar.sum(0), coefs_1=U.T @ h, intercepts_1=U.sum(0)
    )
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    assert passed.output.dtype == gradient.dtype == dtype
    assert_allclose(passed.output, h @ W.T + b, rtol=tolerance, atol=tolerance)
    assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)


def test_jvp_and_vjp_in_the_input_are_products_with_the_jacobian(network, theta, rng):
    X, tangent = rng.standard_normal((2, 4, 3))
    cotangent = rng.standard_normal((4, 2))
    views = network.layout.views(theta)
    passed = network.forward(views, X)
    jvp = network.jvp(views, passed, tangent)
    vjp = network.vjp(views, passed, cotangent, input_too=True)
    for i, x in enumerate(X):
        jacobian = numerical_jacobian(lambda y: output(network, theta, y[np.newaxis])[0], x)
        assert_allclose(jvp[i], jacobian @ tangent[i], rtol=1e-7, atol=1e-9)
        assert_allclose(vjp[i], cotangent[i] @ jacobian, rtol=1e-7, atol=1e-9)


def test_vjp_is_the_adjoint_of_jvp(network, theta, rng):
    X, tangent = rng.standard_normal((2, 9, 3))
    cotangent = rng.standard_normal((9, 2))
    views = network.layout.views(theta)
    passed = network.forward(views, X)
    pulled = network.vjp(views, passed, cotangent, input_too=True)
    pushed = network.jvp(views, passed, tangent)
    assert_allclose(np.vdot(pulled, tangent), np.vdot(cotangent, pushed), rtol=1e-12)


SMOOTH = [name for name, activation in ACTIVATIONS.items() if activation.is_smooth]


@pytest.mark.parametrize("name", SMOOTH)
def test_activations_have_the_derivatives_that_they_say(name):
    activation = ACTIVATIONS[name]
    u = np.linspace(-6, 6, 25)
    value = activation.value(u)
    derivatives = activation.derivatives(u, value, 3)
    assert len(activation.derivatives(u, value, 1)) == 1
    lower = lambda order: (  # noqa: E731
        activation.value
        if order == 0
        else lambda v: activation.derivatives(v, activation.value(v), order)[-1]
    )
    for order, derivative in enumerate(derivatives):
        slope = np.diagonal(numerical_jacobian(lower(order), u))
        assert_allclose(derivative, slope, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_are_finite_far_out(name, dtype):
    activation = ACTIVATIONS[name]
    u = np.array([-1e4, -90, 0, 90, 1e4], dtype=dtype)
    value = activation.value(u)
    for array in (value, *activation.derivatives(u, value, 3 if activation.is_smooth else 1)):
        assert array.dtype == dtype
        assert np.all(np.isfinite(array))


def test_a_rectifier_has_a_slope_and_refuses_a_curvature():
    relu = ACTIVATIONS["relu"]
    u = np.array([-2.0, -1e-9, 1e-9, 3.0])
    assert_allclose(relu.derivatives(u, relu.value(u), 1)[0], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="'relu' has no second derivative"):
        relu.derivatives(u, relu.value(u), 2)


@pytest.mark.parametrize("name", ["relu", "identity"])
def test_drawn_weights_keep_the_size_of_what_passes_through(name, rng):
    network = MultiLayerPerceptron((50, 200, 200, 200), [name, name, "identity"])
    X = 3.0 + 0.2 * rng.standard_normal((500, 50))
    views = network.layout.views(np.full(network.layout.size, np.nan))
    network.draw_parameters(views, rng, X.mean(axis=0), X.var())
    for u in network.forward(views, X).preactivations:
        assert 0.7 < np.mean(u**2) < 1.4
