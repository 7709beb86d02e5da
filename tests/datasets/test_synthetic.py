"""Synthetic data have the density that they are said to have."""

import numpy as np
import pytest
from scipy import stats

from sklvm.datasets import make_bars_and_stripes, make_laplace_mixture


@pytest.mark.parametrize("side", [2, 3, 4])
def test_bars_and_stripes_are_all_images_of_equal_rows_or_equal_columns(side):
    X = make_bars_and_stripes(side)
    everything = np.arange(2 ** (side * side))[:, None] >> np.arange(side * side) & 1
    images = everything.reshape(-1, side, side)
    bars = (images == images[:, :1, :]).all(axis=(1, 2))
    stripes = (images == images[:, :, :1]).all(axis=(1, 2))
    assert len(X) == 2 ** (side + 1) - 2
    assert {tuple(x) for x in X} == {tuple(x) for x in everything[bars | stripes]}


@pytest.mark.parametrize("side", [1, 13])
def test_bars_and_stripes_refuses_other_sides(side):
    with pytest.raises(ValueError, match="side"):
        make_bars_and_stripes(side)


def test_laplace_log_density_is_that_of_the_sources_and_the_jacobian():
    mixing = np.array([[2.0, 0.3], [-1.0, 0.5]])
    mixture = make_laplace_mixture(500, mixing=mixing, random_state=0)
    sources = mixture.data @ np.linalg.inv(mixing).T
    expected = stats.laplace(scale=np.sqrt(0.5)).logpdf(sources).sum(axis=1) - np.log(1.3)
    np.testing.assert_allclose(mixture.log_density, expected)


def test_default_mixture_is_white():
    data = make_laplace_mixture(50_000, random_state=0).data
    np.testing.assert_allclose(np.cov(data.T), np.eye(2), atol=0.03)


def test_singular_mixing_is_an_error():
    with pytest.raises(ValueError, match="invertible"):
        make_laplace_mixture(5, mixing=[[1.0, 1.0], [1.0, 1.0]])
