"""Binary units are u < s(scale (activation + bias)), clamped units excepted."""

import numpy as np
import pytest
from scipy.special import expit

from sklvm.kernels import draw_bernoulli, sample_bernoulli, sigmoid, uniform

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INDEX = {"sweep": 4, "layer": 1, "row_offset": 9}


def numpy_sample(activation, bias, seed, scale=1.0, **index):
    p = sigmoid(activation.dtype.type(scale) * (activation + bias))
    u = uniform(activation.shape, seed, dtype=activation.dtype, **index)
    return (u < p).astype(activation.dtype), p


@dtypes
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (100, 64), (3, 2050), (500, 129)])
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_it_is_its_numpy_twin(shape, scale, dtype, rng):
    activation, bias = rng.normal(size=shape).astype(dtype), rng.normal(size=shape[1]).astype(dtype)
    expected, p = numpy_sample(activation, bias, 5, scale, **INDEX)
    probabilities = np.empty(shape, dtype)
    units = sample_bernoulli(activation, bias, 5, scale=scale, probabilities=probabilities, **INDEX)
    assert units.dtype == dtype
    np.testing.assert_array_equal(units, expected)
    np.testing.assert_array_equal(probabilities, p)
    np.testing.assert_array_equal(
        sample_bernoulli(activation, bias, 5, scale=scale, **INDEX), expected
    )


@dtypes
def test_draws_by_their_probabilities_are_the_same(dtype, rng):
    activation, bias = rng.normal(size=(50, 30)).astype(dtype), rng.normal(size=30).astype(dtype)
    probabilities = np.empty((50, 30), dtype)
    units = sample_bernoulli(activation, bias, 5, sweep=2, layer=1, probabilities=probabilities)
    drawn = draw_bernoulli(probabilities, 5, sweep=2, layer=1)
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn, units)


@dtypes
def test_the_mean_is_the_probability(dtype, random_seed):
    activation = np.tile(np.linspace(-3, 3, 9, dtype=dtype), (40_000, 1))
    bias = np.full(9, 0.5, dtype)
    p = expit(activation[0].astype(np.float64) + 0.5)
    mean = sample_bernoulli(activation, bias, random_seed).mean(axis=0)
    assert np.all(np.abs(mean - p) < 5 * np.sqrt(p * (1 - p) / 40_000))


@dtypes
def test_certain_units_are_certain(dtype):
    activation = np.array([[-np.inf, np.inf]] * 1000, dtype)
    units = sample_bernoulli(activation, np.zeros(2, dtype), 0)
    assert np.all(units == [0, 1])


@dtypes
@pytest.mark.parametrize("per_row", [False, True])
def test_clamped_units_keep_their_state(per_row, dtype, rng):
    activation = rng.normal(size=(300, 21)).astype(dtype)
    bias = np.zeros(21, dtype)
    state = rng.normal(size=(300, 21)).astype(dtype)
    free = rng.random((300, 21) if per_row else 21) < 0.5
    everything_free = sample_bernoulli(activation, bias, 3)
    expected = np.where(free, everything_free, state)
    np.testing.assert_array_equal(
        sample_bernoulli(activation, bias, 3, free=free, state=state), expected
    )
    sample_bernoulli(activation, bias, 3, free=free, state=state, out=state)
    np.testing.assert_array_equal(state, expected)


@dtypes
@pytest.mark.parametrize("units", [3, 500])
def test_neither_threads_nor_chunks_of_rows_change_a_bit(units, dtype, rng):
    activation = rng.normal(size=(300, units)).astype(dtype)
    bias = rng.normal(size=units).astype(dtype)
    whole = sample_bernoulli(activation, bias, 1, n_threads=1)
    for n_threads in (2, 3):
        other = sample_bernoulli(activation, bias, 1, n_threads=n_threads)
        assert other.tobytes() == whole.tobytes()
    chunk = sample_bernoulli(activation[50:70], bias, 1, row_offset=50)
    assert chunk.tobytes() == whole[50:70].tobytes()


@dtypes
def test_any_memory_layout(dtype, rng):
    activation = rng.normal(size=(40, 30)).astype(dtype)
    bias = rng.normal(size=60).astype(dtype)[::2]
    expected = sample_bernoulli(activation, bias, 1)
    strided = np.zeros((80, 30), dtype)[::2]
    for layout in (np.asfortranarray(activation), np.repeat(activation, 2, axis=1)[:, ::2]):
        layout.setflags(write=False)
        np.testing.assert_array_equal(sample_bernoulli(layout, bias, 1), expected)
        assert sample_bernoulli(layout, bias, 1, out=strided) is strided
        np.testing.assert_array_equal(strided, expected)
    in_place = activation.copy()
    sample_bernoulli(in_place, bias, 1, out=in_place)
    np.testing.assert_array_equal(in_place, expected)
    probabilities = np.asfortranarray(activation)
    sample_bernoulli(activation, bias, 1, probabilities=probabilities)
    np.testing.assert_array_equal(probabilities, sigmoid(activation + bias))
    assert sample_bernoulli(activation[:0], bias, 1).shape == (0, 30)


def test_overlapping_out_is_right(rng):
    memory = rng.normal(size=(41, 30))
    expected = sample_bernoulli(memory[:-1].copy(), np.zeros(30), 1)
    sample_bernoulli(memory[:-1], np.zeros(30), 1, out=memory[1:])
    np.testing.assert_array_equal(memory[1:], expected)


def test_bad_arguments_are_named():
    activation, bias = np.zeros((4, 3)), np.zeros(3)
    with pytest.raises(TypeError, match=r"activation must be .* got int64"):
        sample_bernoulli(np.zeros((4, 3), int), bias, 0)
    with pytest.raises(ValueError, match="activation must have 2 dimensions"):
        sample_bernoulli(bias, bias, 0)
    with pytest.raises(ValueError, match=r"bias must have shape \(3,\), got \(4,\)"):
        sample_bernoulli(activation, np.zeros(4), 0)
    with pytest.raises(TypeError, match="bias must be of dtype float64, got float32"):
        sample_bernoulli(activation, bias.astype(np.float32), 0)
    with pytest.raises(ValueError, match="state must be given with free"):
        sample_bernoulli(activation, bias, 0, free=np.ones(3, bool))
    with pytest.raises(TypeError, match="free must be of dtype bool"):
        sample_bernoulli(activation, bias, 0, free=np.ones(3), state=activation)
    with pytest.raises(ValueError, match="free must have shape"):
        sample_bernoulli(activation, bias, 0, free=np.ones(4, bool), state=activation)
    with pytest.raises(ValueError, match="seed must be"):
        sample_bernoulli(activation, bias, -1)
    with pytest.raises(TypeError, match="scale must be a number"):
        sample_bernoulli(activation, bias, 0, scale="cold")
