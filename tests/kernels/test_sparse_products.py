"""Products with mostly zero matrices, against numpy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.kernels import _sparse_products, product, transposed_product

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}


@pytest.fixture(autouse=True)
def one_thread_for_blas(monkeypatch):
    # What is left to it depends on how many there are.
    monkeypatch.setattr(_sparse_products, "effective_n_threads", lambda: 1)


def mostly_zero(rng, shape, dtype, density=0.1):
    return (rng.standard_normal(shape) * (rng.random(shape) < density)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [64, 65, 71, 127, 128, 300])
def test_they_are_the_products_in_float64(rng, dtype, k):
    A = mostly_zero(rng, (150, 130), dtype)
    A[3] = 0
    A[:, 5] = 0
    for multiply, left in ((product, A), (transposed_product, A.T.copy())):
        B = rng.standard_normal((130, k)).astype(dtype)
        expected = A.astype(np.float64) @ B.astype(np.float64)
        scale = np.abs(A).astype(np.float64) @ np.abs(B) + 1
        result = multiply(left, B)
        assert result.dtype == dtype
        assert np.all(np.abs(result - expected) <= TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("k", [1, 7, 8, 20, 63])
def test_narrow_products(rng, k):
    A, B = mostly_zero(rng, (1500, 1000), np.float64), rng.standard_normal((1000, k))
    assert_allclose(product(A, B), A @ B, atol=1e-11)


def test_the_bits_are_the_same_for_every_thread_count_and_chunk_of_rows(rng):
    A, B = mostly_zero(rng, (200, 200), np.float32), rng.random((200, 333), dtype=np.float32)
    one = product(A, B, n_threads=1)
    assert_array_equal(one, product(A, B, n_threads=3))
    assert_array_equal(one[50:150], product(A[50:150], B, n_threads=2))
    assert_array_equal(transposed_product(A, B, n_threads=1), transposed_product(A, B, n_threads=3))
    # Rows of a product are sums of rows of B in increasing order.
    assert_array_equal(one, transposed_product(A.T.copy(), B))


@pytest.mark.parametrize("multiply", [product, transposed_product])
def test_dense_rows_strided_arrays_and_other_dtypes_are_numpys(rng, multiply):
    A, B = mostly_zero(rng, (128, 128), np.float64), rng.standard_normal((128, 128))
    dense = rng.random((128, 128)) + 1

    def expected(A, B):
        return (A.T if multiply is transposed_product else A) @ B

    assert_array_equal(multiply(dense, B), expected(dense, B))
    assert_allclose(multiply(A[::2, ::2], B[:64]), expected(A[::2, ::2], B[:64]), atol=1e-12)
    assert_allclose(multiply(A, B.T), expected(A, B.T), atol=1e-12)
    assert_allclose(multiply(A, B.astype(np.float32)), expected(A, B), atol=1e-4)
    assert_allclose(multiply(np.asfortranarray(A), B), expected(A, B), atol=1e-12)


@pytest.mark.parametrize("multiply", [product, transposed_product])
def test_the_product_goes_where_it_is_wanted(rng, multiply):
    A, B = mostly_zero(rng, (120, 120), np.float64), rng.standard_normal((120, 90))
    for out in (np.full((120, 90), np.nan), np.full((90, 120), np.nan).T):
        assert multiply(A, B, out=out) is out
        assert_allclose(out, multiply(A, B), atol=1e-12)


@pytest.mark.parametrize("multiply", [product, transposed_product])
def test_what_does_not_fit_is_refused(rng, multiply):
    A = mostly_zero(rng, (120, 120), np.float64)
    with pytest.raises(ValueError):
        multiply(A, np.ones((121, 100)))
    with pytest.raises(ValueError):
        multiply(A, np.ones((120, 100)), out=np.empty((120, 99)))


def test_both_sides_of_the_threshold_agree(rng):
    B = rng.standard_normal((150, 100))
    for density in (_sparse_products.MAX_DENSITY - 0.02, _sparse_products.MAX_DENSITY + 0.02):
        A = mostly_zero(rng, (100, 150), np.float64, density)
        assert_allclose(product(A, B), A @ B, atol=1e-12)


def test_the_more_threads_blas_has_the_more_is_left_to_it(rng, monkeypatch):
    A, B = mostly_zero(rng, (100, 150), np.float64, 0.2), rng.standard_normal((150, 100))
    assert not np.array_equal(product(A, B), A @ B)
    monkeypatch.setattr(_sparse_products, "effective_n_threads", lambda: 2)
    assert_array_equal(product(A, B), A @ B)
