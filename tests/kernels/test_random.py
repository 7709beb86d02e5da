"""Random arrays are Philox4x32-10, indexed as documented, and distributed as they should be."""

import numpy as np
import pytest
from scipy import stats

from sklvm.kernels import philox4x32, standard_normal, uniform

# Random123, tests/kat_vectors, the lines "philox4x32 10": counter, key, random block.
KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
SEED = 0x0123456789ABCDEF

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
generators = pytest.mark.parametrize("generate", [uniform, standard_normal])


def words(text):
    return [int(word, 16) for word in text.split()]


def numpy_philox(counter, key):
    """Philox4x32-10 in 64-bit integers (Salmon et al. 2011, section 3.3)."""
    x = counter.astype(np.uint64).T
    k0, k1 = (np.uint64(word) for word in key)
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    for _ in range(10):
        a, b = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = np.array([(b >> half) ^ x[1] ^ k0, b & low, (a >> half) ^ x[3] ^ k1, a & low])
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return x.T


def numpy_words(shape, seed, sweep, layer, row_offset, flag=0):
    rows, units = shape
    groups = -(-units // 4)
    row, group = np.meshgrid(np.arange(rows), np.arange(groups), indexing="ij")
    counter = np.empty((rows * groups, 4), np.uint64)
    counter[:, 0] = group.ravel() + flag
    counter[:, 1] = row.ravel() + row_offset
    counter[:, 2] = sweep
    counter[:, 3] = layer
    blocks = numpy_philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    return blocks.reshape(rows, 4 * groups)


def numpy_uniform(shape, seed, sweep, layer, row_offset, dtype):
    high = numpy_words(shape, seed, sweep, layer, row_offset)[:, : shape[1]]
    if dtype == np.float32:
        return (high >> np.uint64(8)).astype(np.float32) / np.float32(2**24)
    low = numpy_words(shape, seed, sweep, layer, row_offset, flag=2**31)[:, : shape[1]]
    return (high * np.uint64(2**21) + (low >> np.uint64(11))) / 2.0**53


def numpy_standard_normal(shape, seed, sweep, layer, row_offset):
    high = numpy_words(shape, seed, sweep, layer, row_offset)
    low = numpy_words(shape, seed, sweep, layer, row_offset, flag=2**31)
    fraction = (high + low / 2.0**32) / 2.0**32
    radius = np.sqrt(-2 * np.log(fraction[:, ::2]))
    angle = 2 * np.pi * fraction[:, 1::2]
    z = np.empty(fraction.shape)
    z[:, ::2] = radius * np.cos(angle)
    z[:, 1::2] = radius * np.sin(angle)
    return z[:, : shape[1]]


@pytest.mark.parametrize("counter, key, block", KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, block):
    assert philox4x32([words(counter)], words(key))[0].tolist() == words(block)


@pytest.mark.parametrize("n", [0, 1, 3, 8, 17, 1000])
def test_philox_is_its_numpy_twin_on_any_number_of_counters(n, rng):
    counter = rng.integers(2**32, size=(n, 4), dtype=np.uint32)
    key = rng.integers(2**32, size=2, dtype=np.uint32)
    np.testing.assert_array_equal(philox4x32(counter, key), numpy_philox(counter, key))


@dtypes
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (300, 7), (2, 5000), (1000, 16)])
def test_uniform_is_its_numpy_twin(shape, dtype):
    index = {"sweep": 3, "layer": 5, "row_offset": 1_000_000}
    u = uniform(shape, SEED, dtype=dtype, **index)
    assert u.dtype == dtype
    np.testing.assert_array_equal(u, numpy_uniform(shape, SEED, dtype=dtype, **index))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (300, 7), (2, 5000), (1000, 16)])
def test_standard_normal_is_its_numpy_twin(shape):
    index = {"sweep": 3, "layer": 5, "row_offset": 1_000_000}
    twin = numpy_standard_normal(shape, SEED, **index)
    z = standard_normal(shape, SEED, **index)
    np.testing.assert_allclose(z, twin, rtol=1e-12, atol=1e-14)
    z = standard_normal(shape, SEED, dtype=np.float32, **index)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, twin, rtol=1e-5, atol=1e-4)


@dtypes
@generators
@pytest.mark.parametrize("units", [1, 6, 64, 1027])
def test_neither_threads_nor_chunks_of_rows_change_a_bit(generate, units, dtype):
    rows = 200
    whole = generate((rows, units), SEED, sweep=2, dtype=dtype, n_threads=1)
    for n_threads in (2, 3):
        other = generate((rows, units), SEED, sweep=2, dtype=dtype, n_threads=n_threads)
        assert other.tobytes() == whole.tobytes()
    for start, stop in [(0, 1), (17, 100), (199, 200)]:
        chunk = generate(
            (stop - start, units), SEED, sweep=2, row_offset=start, dtype=dtype, n_threads=1
        )
        assert chunk.tobytes() == whole[start:stop].tobytes()


@dtypes
def test_enough_work_for_threads_changes_no_bit_either(dtype):
    shape = (1000, 101)
    one = standard_normal(shape, SEED, dtype=dtype, n_threads=1)
    assert standard_normal(shape, SEED, dtype=dtype, n_threads=4).tobytes() == one.tobytes()


@generators
def test_each_coordinate_gives_other_numbers(generate):
    base = generate((50, 8), 1)
    others = [
        generate((50, 8), 2),
        generate((50, 8), 1 + 2**32),
        generate((50, 8), 1, sweep=1),
        generate((50, 8), 1, layer=1),
        generate((50, 8), 1, row_offset=50),
    ]
    for other in others:
        assert np.intersect1d(base, other).size == 0


@dtypes
def test_uniform_numbers_are_uniform(dtype, random_seed):
    u = uniform((400, 501), random_seed, dtype=dtype)
    assert u.min() >= 0 and u.max() < 1
    assert stats.kstest(u.ravel().astype(np.float64), "uniform").pvalue > 1e-4
    counts = np.histogram2d(u[:, :-1].ravel(), u[:, 1:].ravel(), bins=10)[0]
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


@dtypes
def test_normal_numbers_are_normal_and_independent(dtype, random_seed):
    z = standard_normal((400, 500), random_seed, dtype=dtype).astype(np.float64)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-4
    # Standard deviations of the first four sample moments of n standard normal numbers.
    for power, (moment, variance) in enumerate([(0, 1), (1, 2), (0, 15), (3, 96)], start=1):
        assert abs(np.mean(z**power) - moment) < 5 * np.sqrt(variance / z.size)
    for other in (z[:, ::-1], z[::-1], np.roll(z, 1, axis=1)):
        assert abs(np.mean(z * other)) < 5 * np.sqrt(2 / z.size)
        assert abs(np.mean(z**2 * other**2) - 1) < 5 * np.sqrt(16 / z.size) or other is z


def test_the_tails_reach_as_far_as_they_should(random_seed):
    z = standard_normal((1000, 2000), random_seed, dtype=np.float32)
    expected = z.size * stats.norm.sf(4.5) * 2
    assert abs(np.sum(np.abs(z) > 4.5) - expected) < 5 * np.sqrt(expected)


@generators
def test_bad_arguments_are_named(generate):
    with pytest.raises(ValueError, match=r"seed must be an integer in \[0, .*got -1"):
        generate((2, 2), -1)
    with pytest.raises(TypeError, match=r"seed must be an integer .*got 1.5"):
        generate((2, 2), 1.5)
    with pytest.raises(ValueError, match=r"sweep must be .*got 4294967296"):
        generate((2, 2), 0, sweep=2**32)
    with pytest.raises(ValueError, match=r"row_offset \+ rows must be at most"):
        generate((2, 2), 0, row_offset=2**32 - 1)
    with pytest.raises(ValueError, match="shape must be a tuple"):
        generate((2, 2, 2), 0)
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got int64"):
        generate((2, 2), 0, dtype=np.int64)


def test_philox_names_bad_arguments():
    with pytest.raises(ValueError, match=r"counter must have shape \(n, 4\)"):
        philox4x32([[0, 0]], [0, 0])
    with pytest.raises(ValueError, match=r"key must hold integers in \[0, 2\*\*32\)"):
        philox4x32([[0, 0, 0, 0]], [0, 2**32])
    with pytest.raises(TypeError, match="counter must hold integers"):
        philox4x32([[0.0, 0, 0, 0]], [0, 0])
