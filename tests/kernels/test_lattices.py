"""Sweeps of Ising lattices, against numpy and against the exact distribution."""

import numpy as np
import pytest

from sklvm.energies import PottsEnergy
from sklvm.graphs import grid_graph
from sklvm.kernels import ising_sweep, uniform


def twin(bits, J, b, seed, sweep):
    """One colour after the other, site by site."""
    n, height, width = bits.shape
    x = bits.copy().astype(int)
    draws = uniform((n * height, width), seed, sweep=sweep, dtype=np.float32).reshape(bits.shape)
    for colour in (0, 1):
        for i, r, c in np.ndindex(*bits.shape):
            if (r + c) % 2 != colour:
                continue
            around = [
                x[i, r + dr, c + dc]
                for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1))
                if 0 <= r + dr < height and 0 <= c + dc < width
            ]
            logit = b + J * (2 * sum(around) - len(around))
            x[i, r, c] = draws[i, r, c] < np.float32(0.5 * (1 + np.tanh(0.5 * logit)))
    return x


@pytest.mark.parametrize(
    "shape", [(3, 5, 7), (1, 1, 1), (2, 1, 6), (2, 6, 1), (1, 2, 2), (1, 3, 600)]
)
@pytest.mark.parametrize("J", [0.8, -1.3])
def test_a_sweep_is_that_of_numpy(rng, shape, J):
    bits = (rng.random(shape) < 0.5).astype(np.uint8)
    expected = twin(bits, J, 0.3, 5, 2)
    np.testing.assert_array_equal(ising_sweep(bits, J, 0.3, 5, 2), expected)


def test_chains_end_at_the_distribution_of_the_lattice():
    J, b = 0.9, -0.2
    energy = PottsEnergy(grid_graph((2, 3)), homogeneous=True)
    theta = energy.layout.pack(coupling=[J], biases=[[b]])
    states = ((np.arange(64)[:, np.newaxis] >> np.arange(5, -1, -1)) & 1).astype(float)
    p = np.exp(-energy.evaluate(theta, states)[0] - energy.log_partition(theta))
    bits = np.zeros((30_000, 2, 3), dtype=np.uint8)
    for sweep in range(30):
        ising_sweep(bits, J, b, 0, sweep)
    counts = np.bincount(bits.reshape(-1, 6) @ 2 ** np.arange(5, -1, -1), minlength=64)
    assert ((counts - 30_000 * p) ** 2 / (30_000 * p)).sum() < 63 + 4 * np.sqrt(2 * 63)


def test_the_bits_are_the_same_for_every_thread_count(rng):
    start = (rng.random((3, 40, 50)) < 0.5).astype(np.uint8)
    one, two = (ising_sweep(start.copy(), 0.9, 0.1, 0, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_bad_arrays_are_named():
    with pytest.raises(TypeError, match="array of uint8"):
        ising_sweep(np.zeros((1, 2, 2)), 1.0, 0.0, 0)
    with pytest.raises(ValueError, match=r"three dimensions, got shape \(2, 2\)"):
        ising_sweep(np.zeros((2, 2), dtype=np.uint8), 1.0, 0.0, 0)
