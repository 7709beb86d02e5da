"""sigmoid and softplus are what float64 mathematics says they are, everywhere."""

import numpy as np
import pytest
from scipy.special import expit

from sklvm.kernels import sigmoid, softplus

SPECIAL = [0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 1e30, -1e30, np.inf, -np.inf, np.nan]


def exact_softplus(x):
    return np.logaddexp(0.0, x)


CASES = [(sigmoid, expit), (softplus, exact_softplus)]
cases = pytest.mark.parametrize("kernel, exact", CASES, ids=["sigmoid", "softplus"])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def grid(rng):
    """Dense where the functions bend, and down to where their results vanish in float32."""
    return np.concatenate([np.linspace(-110, 110, 400_001), 5 * rng.normal(size=400_000)])


@cases
def test_float32_is_within_3e_7_of_the_truth_on_normal_numbers(kernel, exact, rng):
    x = grid(rng).astype(np.float32)
    truth = exact(x.astype(np.float64))
    normal = truth >= np.finfo(np.float32).tiny
    error = np.abs(kernel(x).astype(np.float64) - truth)
    assert np.max(error[normal] / truth[normal]) < 3e-7


@cases
def test_float32_is_within_one_unit_of_the_truth_on_subnormal_numbers(kernel, exact):
    x = np.linspace(-106, -87, 200_001).astype(np.float32)
    truth = exact(x.astype(np.float64))
    subnormal = truth < np.finfo(np.float32).tiny
    error = np.abs(kernel(x).astype(np.float64) - truth)
    assert np.max(error[subnormal]) <= np.finfo(np.float32).smallest_subnormal


@cases
def test_float64_is_within_a_few_units_of_the_truth(kernel, exact, rng):
    x = np.concatenate([grid(rng), np.linspace(-700, 700, 100_001)])
    np.testing.assert_allclose(kernel(x), exact(x), rtol=1e-15, atol=0)


@pytest.mark.parametrize("x", [-20.0, -100.0])
def test_softplus_on_the_far_left_is_the_exponential(x):
    np.testing.assert_allclose(softplus(np.float64(x)), np.log1p(np.exp(x)), rtol=1e-15)
    truth = np.float32(np.exp(x))
    error = abs(float(softplus(np.float32(x))) - float(truth))
    assert error <= max(3e-7 * truth, np.finfo(np.float32).smallest_subnormal)


@cases
@dtypes
def test_infinities_zeros_and_nan(kernel, exact, dtype):
    x = np.array(SPECIAL, dtype)
    with np.errstate(invalid="ignore"):
        expected = exact(x.astype(np.float64)).astype(dtype)
    np.testing.assert_allclose(kernel(x), expected, rtol=3e-7 if dtype == np.float32 else 1e-15)


@dtypes
def test_sigmoid_is_the_derivative_of_softplus(dtype):
    # Central difference in float64 of the kernel's own values.
    x = np.linspace(-5, 5, 101)
    step = 1e-5
    slope = (softplus(x + step) - softplus(x - step)) / (2 * step)
    np.testing.assert_allclose(sigmoid(x.astype(dtype)), slope, rtol=1e-6)


@cases
@dtypes
@pytest.mark.parametrize("size", [1, 7, 2047, 2049, 100_003])
def test_bits_do_not_depend_on_threads(kernel, exact, dtype, size, rng):
    x = (10 * rng.normal(size=size)).astype(dtype)
    one = kernel(x, n_threads=1)
    for n_threads in (2, 3, 5):
        assert kernel(x, n_threads=n_threads).tobytes() == one.tobytes()


@cases
@dtypes
def test_bits_do_not_depend_on_the_neighbours(kernel, exact, dtype, rng):
    x = (10 * rng.normal(size=97)).astype(dtype)
    one_by_one = np.array([kernel(x[i : i + 1])[0] for i in range(x.size)])
    assert one_by_one.tobytes() == kernel(x).tobytes()


@cases
@dtypes
def test_any_memory_layout(kernel, exact, dtype, rng):
    x = rng.normal(size=(30, 40)).astype(dtype)
    expected = kernel(x)
    assert kernel(np.asfortranarray(x)).flags.f_contiguous
    np.testing.assert_array_equal(kernel(np.asfortranarray(x)), expected)
    np.testing.assert_array_equal(kernel(x[::2, ::-3]), expected[::2, ::-3])
    x.setflags(write=False)
    np.testing.assert_array_equal(kernel(x), expected)
    assert kernel(x[:0]).shape == (0, 40)
    assert kernel(x[0, 0]) == expected[0, 0]
    assert kernel(x).dtype == dtype


@cases
def test_out_may_be_the_input_or_overlap_it_or_be_strided(kernel, exact, rng):
    x = rng.normal(size=50)
    expected = kernel(x)
    in_place = x.copy()
    assert kernel(in_place, out=in_place) is in_place
    np.testing.assert_array_equal(in_place, expected)
    overlapping = np.append(x, 0.0)
    kernel(overlapping[:-1], out=overlapping[1:])
    np.testing.assert_array_equal(overlapping[1:], expected)
    strided = np.zeros(100)
    kernel(x, out=strided[::2])
    np.testing.assert_array_equal(strided[::2], expected)


@cases
def test_bad_arguments_are_named(kernel, exact):
    with pytest.raises(TypeError, match=r"x must be .* float32 or float64, got int64"):
        kernel(np.arange(3))
    with pytest.raises(TypeError, match=r"out must be .* float64, got float32"):
        kernel(np.zeros(3), out=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match=r"out must have shape \(3,\), got \(4,\)"):
        kernel(np.zeros(3), out=np.zeros(4))
    read_only = np.zeros(3)
    read_only.setflags(write=False)
    with pytest.raises(ValueError, match="out must be writeable"):
        kernel(np.zeros(3), out=read_only)
    with pytest.raises(ValueError, match=r"n_threads must be .* got 0"):
        kernel(np.zeros(3), n_threads=0)
