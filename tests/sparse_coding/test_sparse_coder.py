"""What users do with a SparseCoder."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sklvm import SparseCoder
from sklvm.sparse_coding import L1, AtMostNonzero, BasisPursuit, Lq

EVERY = [
    ("l1", "active_set"),
    ("l1", "coordinate_descent"),
    ("l1", "fista"),
    ("elastic_net", "auto"),
    ("l0", "auto"),
    (Lq(2 / 3), "fista"),
    (AtMostNonzero(4), "auto"),
    (BasisPursuit(1.0), "auto"),
]
every = pytest.mark.parametrize("penalty, solver", EVERY)


@every
def test_threads_and_order_of_rows_do_not_matter(problem, penalty, solver):
    X, D = problem
    coder = SparseCoder(D, alpha=0.5, penalty=penalty, solver=solver, n_jobs=1).fit(X)
    Z = coder.transform(X)
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_allclose(coder.transform(X[order]), Z[order], atol=1e-12)
    np.testing.assert_array_equal(coder.set_params(n_jobs=3).fit(X).transform(X), Z)
    np.testing.assert_allclose(coder.transform(X[:1]), Z[:1], atol=1e-12)


@every
def test_csr_codes_are_the_dense_ones(problem, penalty, solver):
    X, D = problem
    coder = SparseCoder(D, alpha=0.5, penalty=penalty, solver=solver).fit(X)
    dense = coder.transform(X)
    Z = coder.set_params(sparse_output=True).fit(X).transform(X)
    assert sparse.issparse(Z) and Z.format == "csr" and Z.indices.dtype == np.int32
    np.testing.assert_array_equal(Z.toarray(), dense)
    np.testing.assert_allclose(coder.inverse_transform(Z), dense @ D)
    np.testing.assert_array_equal(coder.encode(X, codes=Z).toarray() != 0, dense != 0)


@every
def test_missing_entries_are_as_if_their_features_did_not_exist(problem, penalty, solver, rng):
    X, D = problem
    X = X[:12].copy()
    X[rng.random(X.shape) < 0.2] = np.nan
    X[0] = np.nan
    # Of all rows together proximal gradient takes shorter steps: it ends where codes agree to tol.
    steps = solver in ("fista", "ista")
    settings = {"alpha": 0.5, "penalty": penalty, "solver": solver, "tol": 1e-12 if steps else 1e-6}
    coder = SparseCoder(D, **settings).fit(X)
    Z, info = coder.encode(X, return_info=True)
    assert not Z[0].any() and info.objective_[0] == 0
    for x, z, value in zip(X[1:], Z[1:], info.objective_[1:], strict=True):
        known = ~np.isnan(x)
        alone = SparseCoder(D[:, known], **settings)
        part, of_part = alone.fit(x[np.newaxis, known]).encode(
            x[np.newaxis, known], return_info=True
        )
        np.testing.assert_allclose(z, part[0], atol=1e-5 if steps else 1e-10)
        assert value == pytest.approx(of_part.objective_[0])
    assert np.isfinite(coder.inverse_transform(Z)).all()


def test_coding_what_is_known_fills_in_better_than_coding_zeros(rng):
    D = rng.standard_normal((40, 25))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    X = (rng.standard_normal((200, 40)) * (rng.random((200, 40)) < 0.08)) @ D
    missing = rng.random(X.shape) < 0.3
    coder = SparseCoder(D, alpha=0.02).fit(X)

    def error(holed):
        filled = coder.inverse_transform(coder.transform(holed))
        return np.linalg.norm((filled - X)[missing]) / np.linalg.norm(X[missing])

    assert error(np.where(missing, np.nan, X)) < 0.5 * error(np.where(missing, 0, X))


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_and_memory_layouts(problem, penalty, solver, dtype):
    X, D = (array.astype(dtype) for array in problem)
    coder = SparseCoder(D, alpha=0.5, penalty=penalty, solver=solver).fit(X)
    Z = coder.transform(X)
    assert Z.dtype == dtype and coder.components_.dtype == dtype
    assert coder.score_samples(X).dtype == dtype
    assert coder.inverse_transform(Z).dtype == dtype
    exact = SparseCoder(problem[1], alpha=0.5, penalty=penalty, solver=solver).fit(problem[0])
    np.testing.assert_allclose(
        Z, exact.transform(problem[0]), atol=1e-4 if dtype == np.float32 else 0
    )
    read_only = X.copy()
    read_only.setflags(write=False)
    for same in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], read_only):
        np.testing.assert_allclose(coder.transform(same), Z, atol=1e-12)
    fortran = SparseCoder(np.asfortranarray(D), alpha=0.5, penalty=penalty, solver=solver).fit(X)
    np.testing.assert_allclose(fortran.transform(X), Z, atol=1e-6)


@pytest.mark.parametrize("penalty", ["l1", BasisPursuit(1.0)])
def test_float32_codes_are_as_good_as_their_rounding_lets_them_be(rng, penalty):
    D = rng.standard_normal((300, 40)).astype(np.float32)
    X = rng.standard_normal((500, 40)).astype(np.float32)
    coder = SparseCoder(D, alpha=4.0, penalty=penalty, sparse_output=True).fit(X)
    Z, info = coder.encode(X, return_info=True)
    assert Z.dtype == np.float32 and info.dual_gap_.max() <= 1e-6
    # The same numbers in float64 have the same codes, before these are rounded.
    exact = SparseCoder(D.astype(np.float64), alpha=4.0, penalty=penalty).fit(X.astype(np.float64))
    np.testing.assert_array_equal(
        Z.toarray(), exact.transform(X.astype(np.float64)).astype(np.float32)
    )


def test_many_chunks_on_threads_are_as_each_row_alone(rng):
    D, X = rng.standard_normal((50, 12)), rng.standard_normal((1500, 12))
    coder = SparseCoder(D, alpha=2.0, tol=1e-10, n_jobs=3).fit(X)
    Z = coder.transform(X)
    np.testing.assert_array_equal(coder.set_params(n_jobs=1).fit(X).transform(X), Z)
    order = rng.permutation(len(X))
    np.testing.assert_allclose(coder.transform(X[order]), Z[order], atol=1e-12)
    alone = [coder.transform(x[np.newaxis])[0] for x in X[:20]]
    np.testing.assert_allclose(alone, Z[:20], atol=1e-12)


def test_without_a_dictionary_codes_are_soft_thresholded_data(problem):
    X, _ = problem
    Z = SparseCoder(alpha=0.5).fit_transform(X)
    np.testing.assert_allclose(Z, np.sign(X) * np.maximum(np.abs(X) - 0.5, 0), atol=1e-15)


def test_scores_are_minus_the_objective_and_say_that_they_are_not_normalised(problem):
    X, D = problem
    coder = SparseCoder(D, alpha=0.3).fit(X)
    Z = coder.transform(X)
    value = 0.5 * ((X - Z @ D) ** 2).sum(axis=1) + 0.3 * np.abs(Z).sum(axis=1)
    np.testing.assert_allclose(coder.score_samples(X), -value, rtol=1e-10)
    assert coder.score_normalized_ is False


def test_samples_that_do_not_converge_are_counted(problem):
    X, D = problem
    coder = SparseCoder(D, alpha=0.01, solver="ista", max_iter=3).fit(X)
    with pytest.warns(ConvergenceWarning, match=r"80 of 80 samples did not reach tol=1e-06"):
        _, info = coder.encode(X, return_info=True)
    assert (info.n_iter_ == 3).all() and (info.dual_gap_ > 1e-6).all()


@pytest.mark.filterwarnings("ignore:The score of this SparseCoder is not normalised:UserWarning")
def test_a_grid_searches_the_penalty_and_its_parameters(problem):
    X, D = problem
    grid = {"penalty": [Lq(0.5), L1()], "alpha": [0.1, 0.2]}
    GridSearchCV(SparseCoder(D), grid, cv=2).fit(X)
    assert SparseCoder(penalty="lq").set_params(penalty__q=0.3).penalty.q == 0.3


@pytest.mark.parametrize(
    "params, message",
    [
        ({"penalty": "l0", "solver": "active_set"}, "solver='active_set' does not fit penalty=L0"),
        ({"solver": "omp"}, "choose one of .*active_set"),
        ({"penalty": AtMostNonzero(2), "positive": True}, "positive=True does not go"),
        ({"penalty": L1(weights=[1.0])}, "'weights' of L1 must have shape"),
        ({"penalty": Lq(1.5)}, "'q' parameter of Lq"),
        ({"dictionary": np.eye(3)}, "dictionary must have X's number of features, 20"),
        ({"dictionary": np.full((2, 20), np.nan)}, "dictionary contains NaN"),
        ({"alpha": -1}, "'alpha' parameter of SparseCoder"),
    ],
)
def test_bad_parameters_are_named(problem, params, message):
    X, D = problem
    with pytest.raises(ValueError, match=message):
        SparseCoder(**{"dictionary": D, **params}).fit(X)


def test_bad_codes_are_named(problem):
    X, D = problem
    coder = SparseCoder(D).fit(X)
    with pytest.raises(ValueError, match="codes has 3 columns, and this SparseCoder has 60"):
        coder.encode(X, codes=np.zeros((80, 3)))
    with pytest.raises(ValueError, match="one row for each of X's 80, got 2"):
        coder.encode(X, codes=np.zeros((2, 60)))
    with pytest.raises(ValueError, match="Z has 3 columns"):
        coder.inverse_transform(np.zeros((80, 3)))
