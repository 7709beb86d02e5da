"""SGD and Adam are their textbook formulas."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklvm.optimizers import OPTIMIZERS, SGD, Adam, CosineDecay, InverseTimeDecay, LinearDecay

GRADIENTS = np.random.default_rng(0).standard_normal((6, 5))


def run(optimizer, dtype=np.float64, n_planned_steps=None):
    theta = np.linspace(-1, 1, 5).astype(dtype)
    state = optimizer.init(theta, n_planned_steps)
    squared_changes = []
    path = [theta.copy()]
    for gradient in GRADIENTS.astype(dtype):
        squared_changes.append(optimizer.step(theta, gradient, state))
        path.append(theta.copy())
    return np.array(path), np.array(squared_changes)


def test_sgd_goes_down_the_gradient():
    path, _ = run(SGD(0.1))
    assert_allclose(np.diff(path, axis=0), -0.1 * GRADIENTS, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(nesterov):
    path, _ = run(SGD(0.1, momentum=0.9, nesterov=nesterov))
    theta, velocity = path[0].copy(), np.zeros(5)
    for step, gradient in enumerate(GRADIENTS):
        velocity = 0.9 * velocity - 0.1 * gradient
        theta = theta + (0.9 * velocity - 0.1 * gradient if nesterov else velocity)
        assert_allclose(path[step + 1], theta, rtol=1e-12)


def test_adam_is_algorithm_1_of_kingma_and_ba():
    path, _ = run(Adam(0.1, beta1=0.8, beta2=0.95, epsilon=1e-3))
    theta, m, v = path[0].copy(), np.zeros(5), np.zeros(5)
    for t, g in enumerate(GRADIENTS, start=1):
        m = 0.8 * m + 0.2 * g
        v = 0.95 * v + 0.05 * g**2
        theta = theta - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-3)
        assert_allclose(path[t], theta, rtol=1e-10)


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient():
    path, _ = run(Adam(0.01))
    assert_allclose(np.abs(path[1] - path[0]), 0.01, rtol=1e-5)


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.5), Adam(0.1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_returns_the_squared_length_of_the_change(optimizer, dtype):
    path, squared_changes = run(optimizer, dtype)
    assert path.dtype == dtype
    expected = (np.diff(path.astype(np.float64), axis=0) ** 2).sum(axis=1)
    assert_allclose(squared_changes, expected, rtol=1e-4 if dtype == np.float32 else 1e-10)


def test_long_gradients_are_cut_to_the_largest_norm_and_short_ones_left_alone():
    norms = np.linalg.norm(GRADIENTS, axis=1)
    limit = np.median(norms)
    path, _ = run(SGD(1.0, max_gradient_norm=limit))
    moved = -np.diff(path, axis=0)
    assert_allclose(np.linalg.norm(moved, axis=1), np.minimum(norms, limit), rtol=1e-12)
    directions = GRADIENTS / norms[:, np.newaxis]
    assert_allclose(moved / np.linalg.norm(moved, axis=1, keepdims=True), directions, rtol=1e-10)


def test_the_clip_leaves_the_callers_gradient_alone():
    gradient, theta = np.full(4, 10.0), np.zeros(4)
    optimizer = SGD(1.0, max_gradient_norm=1.0)
    optimizer.step(theta, gradient, optimizer.init(theta))
    assert_array_equal(gradient, 10.0)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", [1, 1, 1, 1, 1, 1]),
        (InverseTimeDecay(2), [1, 2 / 3, 1 / 2, 2 / 5, 1 / 3, 2 / 7]),
        ("linear", [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
        (LinearDecay(3), [1, 2 / 3, 1 / 3, 0, 0, 0]),
        ("cosine", 0.5 * (1 + np.cos(np.pi * np.arange(6) / 6))),
        (CosineDecay(2), [1, 0.5, 0, 0, 0, 0]),
    ],
)
def test_schedules_scale_the_learning_rate(schedule, factors):
    path, _ = run(SGD(0.1, schedule=schedule), n_planned_steps=6)
    expected = -0.1 * np.asarray(factors)[:, np.newaxis] * GRADIENTS
    assert_allclose(np.diff(path, axis=0), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_stream_without_an_end_keeps_the_rate(schedule):
    path, _ = run(SGD(0.1, schedule=schedule), n_planned_steps=None)
    assert_allclose(np.diff(path, axis=0), -0.1 * GRADIENTS, rtol=1e-12)


def test_sgd_and_adam_find_the_minimum_of_a_quadratic():
    curvature = np.array([1.0, 10.0, 100.0])
    for optimizer in (SGD(0.01, momentum=0.9), Adam(0.1, schedule="linear")):
        theta = np.ones(3)
        state = optimizer.init(theta, 500)
        for _ in range(500):
            optimizer.step(theta, curvature * theta, state)
        assert_allclose(theta, 0, atol=1e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_clone_and_print(name):
    optimizer = OPTIMIZERS[name]()
    assert repr(clone(optimizer)) == repr(optimizer) == f"{type(optimizer).__name__}()"


def test_nested_names_reach_the_schedule():
    optimizer = SGD(schedule="inverse_time").set_params(schedule__decay_steps=3)
    assert optimizer.schedule.decay_steps == 3


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (SGD(learning_rate=0.0), "learning_rate"),
        (SGD(momentum=1.0), "momentum"),
        (SGD(schedule="fast"), "schedule"),
        (Adam(beta2=1.0), "beta2"),
        (Adam(epsilon=0.0), "epsilon"),
        (Adam(max_gradient_norm=-1.0), "max_gradient_norm"),
        (OPTIMIZERS["lbfgs"](n_corrections=0), "n_corrections"),
    ],
)
def test_a_parameter_out_of_range_is_named(optimizer, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {type(optimizer).__name__}"):
        optimizer.validate()


def test_a_schedules_own_parameters_are_validated():
    with pytest.raises(ValueError, match="'decay_steps' parameter of InverseTimeDecay"):
        SGD(schedule=InverseTimeDecay(0)).init(np.zeros(2))
