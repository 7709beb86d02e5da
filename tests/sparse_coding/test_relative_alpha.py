"""α relative to the data: where codes become empty, and how it scales."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm import DictionaryLearner, SparseCoder
from sklvm.sparse_coding import L0, L1, AtMostNonzero, ElasticNet, Lq, RelativeAlpha

X = np.random.default_rng(0).standard_normal((80, 6))
D = np.random.default_rng(1).standard_normal((4, 6))


@pytest.mark.parametrize(
    "penalty", [L0(), L1(), Lq(0.5), Lq(2 / 3), ElasticNet(0.3)], ids=lambda p: type(p).__name__
)
def test_a_row_is_coded_where_its_correlation_exceeds_the_threshold(penalty):
    # One atom of unit norm, and rows along it: x = c d.
    correlations = np.linspace(0.1, 2.0, 39)[:, np.newaxis]
    coder = SparseCoder([[1.0]], penalty=penalty, alpha=RelativeAlpha(0.4)).fit(correlations)
    is_coded = coder.transform(correlations)[:, 0] != 0
    threshold = 0.4 * np.median(correlations)
    # (A grid point on the threshold may fall on either side.)
    clear = np.abs(correlations[:, 0] - threshold) > 1e-3
    assert np.array_equal(is_coded[clear], (correlations[:, 0] > threshold)[clear])


def test_alpha_is_measured_on_the_dictionary_where_there_is_one():
    greatest = np.abs(X @ (D / np.linalg.norm(D, axis=1, keepdims=True)).T).max(axis=1)
    coder = SparseCoder(D).fit(X)
    assert_allclose(coder.alpha_, 0.1 * np.median(greatest))
    learner = DictionaryLearner(4, max_iter=30, random_state=0).fit(X)
    assert_allclose(learner.alpha_, 0.1 * np.median(np.linalg.norm(X, axis=1)))


def test_codes_scale_with_the_data():
    one, other = (DictionaryLearner(5, random_state=0).fit(unit * X) for unit in (1.0, 1000.0))
    assert_allclose(other.components_, one.components_, atol=1e-6)
    assert_allclose(other.transform(1000 * X), 1000 * one.transform(X), atol=1e-3)


def test_a_number_stays_what_it_is_and_constraints_need_none():
    assert SparseCoder(D, alpha=0.3).fit(X).alpha_ == 0.3
    assert SparseCoder(D, penalty=AtMostNonzero(2)).fit(X).alpha_ == 1.0
    assert SparseCoder(D).fit(np.zeros((3, 6))).alpha_ == 1.0


def test_the_fraction_is_a_parameter_to_search_over_and_is_checked():
    coder = SparseCoder(D).set_params(alpha__fraction=0.2)
    assert coder.alpha.fraction == 0.2
    with pytest.raises(ValueError, match="fraction"):
        SparseCoder(D, alpha=RelativeAlpha(2.0)).fit(X)
    with pytest.raises(ValueError, match="alpha"):
        DictionaryLearner(4, alpha="much").fit(X)
