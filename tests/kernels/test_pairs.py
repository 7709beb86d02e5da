"""Products of pairs of columns, against numpy."""

import numpy as np
import pytest

from sklvm.kernels import pairwise_products, pairwise_products_vjp


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 2, 7, 8, 64, 65])
def test_products_are_those_of_the_upper_triangle(rng, dtype, width):
    X = rng.standard_normal((11, width)).astype(dtype)
    rows, columns = np.triu_indices(width)
    products = pairwise_products(X)
    assert products.dtype == dtype
    np.testing.assert_array_equal(products, X[:, rows] * X[:, columns])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 2, 7, 8, 64, 65])
def test_the_pullback_is_the_product_with_the_symmetrised_matrix(rng, dtype, width):
    X = rng.standard_normal((11, width)).astype(dtype)
    rows, columns = np.triu_indices(width)
    bar = rng.standard_normal((11, len(rows))).astype(dtype)
    matrix = np.zeros((11, width, width))
    matrix[:, rows, columns] = bar
    expected = np.einsum("nij,nj->ni", matrix + matrix.transpose(0, 2, 1), X.astype(float))
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(pairwise_products_vjp(X, bar), expected, atol=tolerance)


def test_the_bits_are_the_same_for_every_thread_count_and_layout(rng):
    X = rng.standard_normal((600, 20))
    one = pairwise_products(X, n_threads=1)
    np.testing.assert_array_equal(one, pairwise_products(np.asfortranarray(X), n_threads=2))
    np.testing.assert_array_equal(
        pairwise_products_vjp(X, one, n_threads=1), pairwise_products_vjp(X, one, n_threads=2)
    )


def test_bad_arrays_are_named():
    with pytest.raises(TypeError, match="X must be of dtype"):
        pairwise_products(np.ones((2, 2), dtype=int))
    with pytest.raises(ValueError, match="X must have 2 dimensions"):
        pairwise_products(np.ones(3))
    with pytest.raises(ValueError, match=r"products_bar must have shape \(2, 6\)"):
        pairwise_products_vjp(np.ones((2, 3)), np.ones((2, 5)))
