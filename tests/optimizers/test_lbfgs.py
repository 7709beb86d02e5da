"""L-BFGS finds minima and hands each iteration over."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.optimizers import LBFGS

CURVATURE = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 20.0]])
TARGET = np.array([1.0, -2.0, 3.0])


def quadratic(theta):
    pulled = CURVATURE.astype(theta.dtype) @ (theta - TARGET.astype(theta.dtype))
    return 0.5 * float((theta - TARGET) @ pulled), pulled


def rosenbrock(theta):
    a, b = theta
    gradient = np.array([-400 * a * (b - a**2) - 2 * (1 - a), 200 * (b - a**2)])
    return 100 * (b - a**2) ** 2 + (1 - a) ** 2, gradient


def test_it_finds_the_minimum_of_a_quadratic():
    start = np.zeros(3)
    theta, converged, _ = LBFGS(gradient_tol=1e-10, value_tol=0).minimize(
        quadratic, start, 100, lambda theta, value: None
    )
    assert converged
    assert_allclose(theta, TARGET, rtol=1e-8)
    assert_array_equal(start, 0)


def test_it_finds_the_end_of_the_banana():
    theta, converged, _ = LBFGS(gradient_tol=1e-9, value_tol=0).minimize(
        rosenbrock, np.array([-1.2, 1.0]), 200, lambda theta, value: None
    )
    assert converged
    assert_allclose(theta, 1, rtol=1e-6)


def test_every_iteration_is_reported_and_the_values_fall():
    seen = []
    LBFGS().minimize(
        quadratic, np.zeros(3), 100, lambda theta, value: seen.append((theta.copy(), value))
    )
    values = [quadratic(np.zeros(3))[0], *(value for _, value in seen)]
    assert np.all(np.diff(values) < 0)
    assert_allclose([quadratic(theta)[0] for theta, _ in seen], values[1:])


def test_max_iter_ends_it_unconverged():
    seen = []
    _, converged, message = LBFGS().minimize(
        rosenbrock, np.array([-1.2, 1.0]), 3, lambda theta, value: seen.append(value)
    )
    assert len(seen) == 3
    assert not converged
    assert message


def test_a_callback_may_stop_it():
    def stop_at_the_second(theta, value):
        seen.append(theta.copy())
        if len(seen) == 2:
            raise StopIteration

    seen = []
    theta, *_ = LBFGS().minimize(rosenbrock, np.array([-1.2, 1.0]), 100, stop_at_the_second)
    assert_array_equal(theta, seen[-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_criterion_sees_and_the_result_has_the_dtype_of_the_start(dtype):
    def watched(theta):
        dtypes.add(theta.dtype)
        return quadratic(theta)

    dtypes = set()
    theta, *_ = LBFGS().minimize(
        watched, np.zeros(3, dtype), 50, lambda theta, value: dtypes.add(theta.dtype)
    )
    assert theta.dtype == dtype
    assert dtypes == {np.dtype(dtype)}
    assert_allclose(theta, TARGET, rtol=1e-3)
