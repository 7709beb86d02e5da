"""Optimiser updates are the published recurrences, in one pass."""

import numpy as np
import pytest

from sklvm.kernels import adam_update, sgd_update

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
sizes = pytest.mark.parametrize("size", [1, 9, 2048, 5001])


def numpy_sgd(theta, gradient, velocity, learning_rate, momentum, nesterov):
    velocity = momentum * velocity - learning_rate * gradient
    change = momentum * velocity - learning_rate * gradient if nesterov else velocity
    return theta + change, velocity, change


def numpy_adam(theta, gradient, m, v, learning_rate, beta1, beta2, epsilon, n_steps):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**n_steps)
    v_hat = v / (1 - beta2**n_steps)
    change = -learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta + change, m, v, change


def tolerance(dtype):
    return {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-14}


@dtypes
@sizes
@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_is_its_numpy_twin(momentum, nesterov, size, dtype, rng):
    theta, velocity = rng.normal(size=size).astype(dtype), np.zeros(size, dtype)
    twin, twin_velocity = theta.astype(np.float64), velocity.astype(np.float64)
    for _ in range(3):
        gradient = rng.normal(size=size).astype(dtype)
        square = sgd_update(theta, gradient, velocity, 0.1, momentum, nesterov)
        twin, twin_velocity, change = numpy_sgd(
            twin, gradient.astype(np.float64), twin_velocity, 0.1, momentum, nesterov
        )
        np.testing.assert_allclose(theta, twin, **tolerance(dtype))
        np.testing.assert_allclose(square, np.sum(change**2), rtol=tolerance(dtype)["rtol"])


@dtypes
@sizes
def test_adam_is_its_numpy_twin(size, dtype, rng):
    theta, m, v = (np.zeros(size, dtype) for _ in range(3))
    twin, twin_m, twin_v = (np.zeros(size) for _ in range(3))
    for n_steps in range(1, 5):
        gradient = rng.normal(size=size).astype(dtype)
        square = adam_update(theta, gradient, m, v, 0.01, 0.9, 0.999, 1e-8, n_steps)
        twin, twin_m, twin_v, change = numpy_adam(
            twin, gradient.astype(np.float64), twin_m, twin_v, 0.01, 0.9, 0.999, 1e-8, n_steps
        )
        np.testing.assert_allclose(theta, twin, **tolerance(dtype))
        np.testing.assert_allclose(square, np.sum(change**2), rtol=tolerance(dtype)["rtol"])


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate(rng):
    theta = np.zeros(1000)
    gradient = rng.normal(size=1000) * 10.0 ** rng.integers(-3, 3, size=1000)
    square = adam_update(theta, gradient, np.zeros(1000), np.zeros(1000), 0.01, 0.9, 0.999, 0.0, 1)
    np.testing.assert_allclose(theta, -0.01 * np.sign(gradient), rtol=1e-12)
    np.testing.assert_allclose(square, 1000 * 0.01**2, rtol=1e-12)


@dtypes
def test_bits_do_not_depend_on_threads(dtype, rng):
    from threadpoolctl import threadpool_limits

    size = 300_001
    gradient = rng.normal(size=size).astype(dtype)

    def run(limit):
        state = [np.zeros(size, dtype) for _ in range(4)]
        with threadpool_limits(limit, user_api="openmp"):
            squares = (
                sgd_update(state[0], gradient, state[1], 0.1, 0.9),
                adam_update(state[0], gradient, state[2], state[3], 0.1, 0.9, 0.99, 1e-8, 1),
            )
        return squares, [array.tobytes() for array in state]

    assert run(1) == run(2)


def test_sgd_without_momentum_needs_no_velocity():
    theta = np.array([1.0, 2.0])
    assert sgd_update(theta, np.array([3.0, 4.0]), None, 1.0) == 25.0
    assert theta.tolist() == [-2.0, -2.0]


def test_a_gradient_that_is_not_finite_reaches_the_norm():
    for bad in (np.nan, np.inf):
        assert not np.isfinite(sgd_update(np.zeros(3), np.array([0.0, bad, 0.0]), None, 1.0))


def test_bad_arguments_are_named():
    theta, gradient = np.zeros(3), np.zeros(3)
    with pytest.raises(TypeError, match="gradient must be of dtype float64, got float32"):
        sgd_update(theta, gradient.astype(np.float32), None, 0.1)
    with pytest.raises(ValueError, match=r"gradient must have shape \(3,\), got \(4,\)"):
        sgd_update(theta, np.zeros(4), None, 0.1)
    with pytest.raises(TypeError, match="velocity must be a numpy array, got NoneType"):
        sgd_update(theta, gradient, None, 0.1, momentum=0.5)
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\), got 1.0"):
        sgd_update(theta, gradient, np.zeros(3), 0.1, momentum=1.0)
    with pytest.raises(ValueError, match="theta must be contiguous"):
        sgd_update(np.zeros(6)[::2], gradient, None, 0.1)
    read_only = np.zeros(3)
    read_only.setflags(write=False)
    with pytest.raises(ValueError, match="first_moment must be writeable"):
        adam_update(theta, gradient, read_only, np.zeros(3), 0.1, 0.9, 0.99, 1e-8, 1)
    with pytest.raises(ValueError, match=r"n_steps must be .* got 0"):
        adam_update(theta, gradient, np.zeros(3), np.zeros(3), 0.1, 0.9, 0.99, 1e-8, 0)
