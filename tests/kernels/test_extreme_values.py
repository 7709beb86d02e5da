"""Kernels of sparse codes stay inside their arrays whatever numbers are inside of these."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from sklvm.kernels import (
    ActiveSetCoder,
    add_code_products,
    automatic_relevance_codes,
    coordinate_descent_codes,
    matching_pursuit_codes,
    product,
    proximal_step,
)

K, M, N = 70, 9, 12  # K is no multiple of 64
EXTREMES = [0.0, 1e-320, 1e-170, 1e-30, 1e30, 1e100, 1e153, 1e200, np.inf, -np.inf, np.nan]
extremes = pytest.mark.parametrize("value", EXTREMES)


def random_problem(rng, where, value):
    """Dictionary, data, Gram matrix and correlations, with `value` in a third of one of them."""
    arrays = {"D": rng.standard_normal((K, M)), "X": rng.standard_normal((N, M))}
    if where in arrays:
        arrays[where][rng.random(arrays[where].shape) < 1 / 3] = value
    D, X = arrays["D"], arrays["X"]
    with np.errstate(all="ignore"):
        arrays |= {"gram": D @ D.T, "C": X @ D.T, "norms": (X**2).sum(axis=1)}
    if where in ("gram", "C", "norms"):
        arrays[where][rng.random(arrays[where].shape) < 1 / 3] = value
    return arrays


@extremes
@pytest.mark.parametrize("where", ["D", "X"])
@pytest.mark.parametrize("alpha", [0.0, 1e-300, 0.1, 1e300])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_active_sets(rng, value, where, alpha, positive):
    arrays = random_problem(rng, where, value)
    D, X = arrays["D"], arrays["X"]
    try:
        coder = ActiveSetCoder(D, arrays["gram"], np.full(K, alpha), positive=positive, rank=M)
        rows = coder.codes(X, max_iter=50)
        start = sparse.csr_array(rng.standard_normal((N, K)))  # more entries than a support holds
        warm = coder.codes(X, start, max_iter=50)
    except ValueError as error:
        assert "Scale the" in str(error)
        return
    for found in (rows, warm):
        counts = np.diff(found.ends, prepend=0)
        assert (counts >= 0).all() and (counts <= M).all()
        assert ((found.atoms >= 0) & (found.atoms < K)).all()
        assert len(found.atoms) == len(found.values) == found.ends[-1]


@extremes
@pytest.mark.parametrize("where", ["gram", "C", "norms"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_codes_from_products(rng, value, where, positive):
    arrays = random_problem(rng, where, value)
    problem = arrays["gram"], np.full(K, 0.1), arrays["C"], arrays["norms"]
    for exponent in (0.0, 0.5, 1.0):
        Z = rng.standard_normal((N, K))
        coordinate_descent_codes(
            *problem, Z, exponent=exponent, positive=positive, lipschitz=1.0, max_iter=30
        )
        Z, *_ = matching_pursuit_codes(
            *(arrays[name] for name in ("gram", "C", "norms")),
            bound=np.full(K, 0.1),
            exponent=exponent,
            positive=positive,
            max_nonzero=M,
        )
        assert np.count_nonzero(Z, axis=1).max() <= M
        rooms = [np.zeros((N, K)) for _ in range(4)]
        proximal_step(
            arrays["C"],
            arrays["norms"],
            *rooms,
            np.ones(N),
            np.full(N, np.inf),
            bound=np.full(K, 0.1),
            exponent=exponent,
            positive=positive,
            lipschitz=1.0,
            tol=0.0,
        )


@extremes
@pytest.mark.parametrize("where", ["D", "X"])
@pytest.mark.parametrize("noise", [None, 1e-300, 1.0])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_automatic_relevance(rng, value, where, noise):
    arrays = random_problem(rng, where, value)
    try:
        results = automatic_relevance_codes(
            arrays["D"], arrays["X"], noise_variance=noise, max_iter=50
        )
    except ValueError as error:
        assert "Scale the" in str(error)
        return
    assert results.n_iter.max() <= 50
    assert np.count_nonzero(results.prior_variances, axis=1).max() <= 2 * M


@extremes
def test_products_of_sparse_rows(rng, value):
    A = np.where(rng.random((300, 200)) < 0.1, value, 0.0)
    B = rng.standard_normal((200, 70))
    for dtype in (np.float32, np.float64):
        with np.errstate(all="ignore"):
            a, b = A.astype(dtype), B.astype(dtype)
            np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-3, equal_nan=True)


@pytest.mark.parametrize("columns", [[0, K], [-1, 0], [0, 2**20]])
def test_lists_that_leave_their_shape_are_refused(rng, columns):
    lists = sparse.csr_array((np.ones(2), [0, 1], [0, 1, 2]), shape=(2, K))
    lists.indices[:] = columns
    D = rng.standard_normal((K, M))
    with pytest.raises(ValueError, match="start has entries outside of its shape"):
        ActiveSetCoder(D, D @ D.T, np.ones(K)).codes(np.ones((2, M)), lists)
    with pytest.raises(ValueError, match="codes has entries outside of its shape"):
        add_code_products(lists, np.ones((2, M)), np.ones(2), np.zeros((K, K)), np.zeros((K, M)))


@pytest.mark.slow
def test_the_sanitizers_find_nothing():
    script = Path(__file__).parent.parent / "sanitized.py"
    done = subprocess.run(
        [sys.executable, script, __file__], capture_output=True, text=True, check=False
    )
    if "The compiler has no" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout[-4000:]
