"""Grey levels that are made into bits anew for every step."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.training.links import DrawnBits


def drawn_bits(X, rng):
    return DrawnBits().draw(None, X, None, rng)


def test_bits_have_the_grey_levels_as_probabilities(rng):
    levels = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    bits = drawn_bits(np.tile(levels, (20_000, 1)), rng)
    assert set(np.unique(bits)) == {0.0, 1.0}
    # Six standard errors.
    assert_allclose(bits.mean(axis=0), levels, atol=6 * 0.5 / np.sqrt(20_000))
    assert_array_equal(bits.mean(axis=0)[[0, 4]], [0, 1])
    assert np.all(np.abs(np.corrcoef(bits[:, 1:4].T) - np.eye(3)) < 6 / np.sqrt(20_000))


def test_draws_are_fresh_and_bits_stay_as_they_are(rng):
    X = rng.random((50, 20)).astype(np.float32)
    first = drawn_bits(X, rng)
    assert first.dtype == np.float32
    assert not np.array_equal(first, drawn_bits(X, rng))
    assert_array_equal(drawn_bits(first, rng), first)


def test_missing_entries_stay_missing(rng):
    X = np.where(rng.random((30, 10)) < 0.3, np.nan, 0.5)
    assert_array_equal(np.isnan(drawn_bits(X, rng)), np.isnan(X))
