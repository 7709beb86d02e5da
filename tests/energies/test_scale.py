"""The scale of Gaussian noise: floor, parametrisation and chain rule, once for all energies."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import Scale
from sklvm.testing import assert_is_gradient


@pytest.mark.parametrize("rate", [2.0, 10**-0.5])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_pull_is_the_gradient_through_the_variance(rate, shape, rng):
    scale = Scale("learn", 0.3, shape, rate)
    theta = rng.standard_normal(scale.layout.size)
    slopes = rng.standard_normal((4, *(shape or (3,))))

    def value(theta):
        return np.sum(slopes * scale.variance(scale.layout.views(theta)) ** 2)

    views, gradient = scale.layout.views(theta), np.empty_like(theta)
    scale.pull(views, 2 * slopes * scale.variance(views), scale.layout.views(gradient))
    assert_is_gradient(gradient, value, theta, scale.layout)


def test_it_starts_at_a_variance_but_not_at_the_floor():
    scale = Scale("learn", floor=0.5, shape=(3,))
    theta = scale.layout.pack(**scale.start_values(np.array([4.0, 0.3, 0.0])))
    assert_allclose(scale.variance(scale.layout.views(theta)), [4.0, 0.5, 0.5])


def test_no_rho_takes_the_variance_below_the_floor():
    scale = Scale("learn", floor=0.1)
    assert_allclose(scale.variance({"log_scale": np.array(-1e3)}), 0.01)


def test_twice_rho_is_the_logarithm_of_the_excess_at_the_common_rate():
    rho = np.log(np.array([0.7, 2.0]))
    assert_allclose(Scale("learn", 0.1, (2,)).at(rho)[0], np.array([0.49, 4.0]) + 0.01)


def test_a_given_scale_has_no_parameter_and_pulls_nothing():
    scale, views = Scale(2.0), {"bias": np.zeros(3, dtype=np.float32)}
    assert scale.layout.size == 0
    assert not scale.is_learned
    assert scale.start_values(1.0) == {}
    assert scale.variance(views) == 4
    assert scale.variance(views).dtype == np.float32
    scale.pull(views, 1.0, {})


def test_a_predicted_scale_is_learned_and_has_no_parameter_of_its_own():
    scale = Scale("predict", floor=0.1)
    assert scale.is_learned
    assert scale.layout.size == 0
    assert_allclose(scale.at(np.array(scale.start(2.0)))[0], 2.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_rho_stays(dtype):
    scale = Scale("learn", shape=(2,), rate=10**-0.5)
    theta = np.zeros(2, dtype=dtype)
    variance, slope = scale.at(theta)
    assert variance.dtype == slope.dtype == dtype
    gradient = np.empty_like(theta)
    scale.pull({"log_scale": theta}, np.ones(2, dtype=dtype), {"log_scale": gradient})
    assert_array_equal(gradient, slope)
