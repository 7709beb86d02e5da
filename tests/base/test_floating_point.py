"""A score is a number, or −∞ for a row that is too far away: nothing else hides behind −∞."""

import numpy as np
import pytest

from sklvm.base import DensityModel


class Undefined(DensityModel):
    """Rows that begin with 7, or with more than single precision can square, have no score."""

    __module__ = "sklvm.undefined"  # only the library's own methods are wrapped

    def score_samples(self, X):
        X = np.asarray(X)
        first = X[:, 0]
        return np.where((first == 7) | (np.abs(first) > 1e15), np.nan, first).astype(X.dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_score_that_is_not_a_number_is_an_error_and_names_the_row(dtype):
    X = np.array([[1.0, 2.0], [3.0, 4.0], [7.0, 0.0]], dtype=dtype)
    np.testing.assert_array_equal(Undefined().score_samples(X[:2]), [1, 3])
    with pytest.raises(FloatingPointError, match="score of row 2 by Undefined is not a number"):
        Undefined().score_samples(X)


def test_a_row_that_is_too_far_away_scores_minus_infinity():
    X = np.array([[1.0, 2.0], [1e30, 4.0]], dtype=np.float32)
    np.testing.assert_array_equal(Undefined().score_samples(X), [1, -np.inf])
    np.testing.assert_array_equal(Undefined().score_samples(X=X), [1, -np.inf])
    # In double precision 10³⁰ is no such row.
    with pytest.raises(FloatingPointError, match="row 1"):
        Undefined().score_samples(X.astype(np.float64))
