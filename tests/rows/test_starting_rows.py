"""Rows to start from: dense and complete ones."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from sklvm.rows import starting_rows


def test_starting_rows_are_dense_and_complete(rng):
    X = rng.random((50, 3))
    weights = np.ones(50)
    assert starting_rows(X, weights, rng)[0] is X
    assert_array_equal(starting_rows(csr_array(X), weights, rng)[0], X)
    many = csr_array(np.repeat(np.eye(3), 2000, axis=0))
    rows, row_weights = starting_rows(many, np.ones(6000), rng)
    assert rows.shape == (5000, 3)
    assert row_weights.shape == (5000,)
    gaps = X.copy()
    gaps[rng.random(X.shape) < 0.4] = np.nan
    filled, _ = starting_rows(gaps, weights, rng)
    assert_array_equal(filled[~np.isnan(gaps)], gaps[~np.isnan(gaps)])
    assert all(np.isin(filled[:, j], gaps[:, j]).all() for j in range(3))
    gaps[:, 1] = np.nan
    with pytest.raises(ValueError, match=r"Features \[1\] have no observed value"):
        starting_rows(gaps, weights, rng)
