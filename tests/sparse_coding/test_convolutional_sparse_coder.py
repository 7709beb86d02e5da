"""Convolutional codes are sparse codes on an explicit dictionary of shifted filters."""

import itertools

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sklvm import ConvolutionalSparseCoder, SparseCoder
from sklvm.sparse_coding import L1, AtMostNonzero, ElasticNet, Lq
from sklvm.sparse_coding.dictionaries import ConvolutionalDictionary, ConvolutionGeometry
from sklvm.testing import DictionaryTestCase

BOUNDARIES = ["valid", "full", "circular"]
boundaries = pytest.mark.parametrize("boundary", BOUNDARIES)


def shifted_filters(filters, image_shape, boundary):
    """Every filter of (K, h, w, C) at every place of an image, by loops: the atoms as rows."""
    (height, width), (_, h, w, channels) = image_shape, filters.shape
    first = {"valid": (0, 0), "full": (1 - h, 1 - w), "circular": (0, 0)}[boundary]
    last = (height, width) if boundary != "valid" else (height - h + 1, width - w + 1)
    atoms = []
    for d in filters:
        for i, j in itertools.product(range(first[0], last[0]), range(first[1], last[1])):
            image = np.zeros((height, width, channels))
            for a, b in itertools.product(range(h), range(w)):
                p, q = i + a, j + b
                if boundary == "circular":
                    p, q = p % height, q % width
                if 0 <= p < height and 0 <= q < width:
                    image[p, q] = d[a, b]
            atoms.append(image.ravel())
    return np.array(atoms)


def make_case(rng, boundary, channels=1, n_filters=3, shape=(7, 9), filter_shape=(3, 2)):
    filters = rng.standard_normal((n_filters, *filter_shape, channels))
    X = rng.standard_normal((2, shape[0] * shape[1] * channels))
    return X, filters, shifted_filters(filters, shape, boundary)


def coder_of(filters, shape, X, **params):
    return ConvolutionalSparseCoder(
        filters, image_shape=shape, n_channels=filters.shape[-1], **params
    ).fit(X)


@boundaries
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("positive", [False, True])
def test_codes_are_those_of_the_explicit_dictionary(rng, boundary, masked, channels, positive):
    X, filters, D = make_case(rng, boundary, channels)
    if masked:
        X[rng.random(X.shape) < 0.3] = np.nan
    params = {"alpha": 0.6, "positive": positive, "tol": 1e-13}
    coder = coder_of(filters, (7, 9), X, boundary=boundary, max_iter=10_000, **params)
    Z, info = coder.encode(X, return_info=True)
    exact, of_exact = SparseCoder(D, **params).fit(X).encode(X, return_info=True)
    np.testing.assert_allclose(info.objective_, of_exact.objective_, rtol=1e-10)
    np.testing.assert_array_equal(np.abs(Z) > 1e-6, np.abs(exact) > 1e-6)
    np.testing.assert_allclose(coder.inverse_transform(Z), Z @ D, atol=1e-12)
    residual = np.nan_to_num(X - Z @ D)
    objective = 0.5 * (residual**2).sum(axis=1) + 0.6 * np.abs(Z).sum(axis=1)
    np.testing.assert_allclose(info.objective_, objective, rtol=1e-12)


@boundaries
@pytest.mark.parametrize("solver", ["working_set", "fista"])
@pytest.mark.parametrize("penalty", [L1(weights=[0.5, 1, 2]), ElasticNet(0.7)], ids=str)
def test_weights_and_ridges_are_those_of_each_filter(rng, boundary, solver, penalty):
    X, filters, D = make_case(rng, boundary)
    X[0, 5:9] = np.nan
    coder = coder_of(
        filters,
        (7, 9),
        X,
        boundary=boundary,
        alpha=0.8,
        penalty=penalty,
        solver=solver,
        tol=1e-11,
        max_iter=50_000,
    )
    _, info = coder.encode(X, return_info=True)
    n_places = len(D) // 3
    if isinstance(penalty, L1):
        penalty = L1(weights=np.repeat(penalty.weights, n_places))
    exact = SparseCoder(D, alpha=0.8, penalty=penalty, tol=1e-12).fit(X)
    np.testing.assert_allclose(info.objective_, -exact.score_samples(X), rtol=1e-9)
    assert info.dual_gap_.max() <= 1e-11


@boundaries
def test_the_certificate_is_the_duality_gap(rng, boundary):
    X, filters, D = make_case(rng, boundary, channels=2)
    X[1, ::3] = np.nan
    coder = coder_of(filters, (7, 9), X, boundary=boundary, alpha=0.5, tol=1e-2)
    Z, info = coder.encode(X, return_info=True)
    known = np.nan_to_num(X)
    r = np.where(np.isnan(X), 0, X - Z @ D)
    scale = np.minimum(1, 0.5 / np.abs(r @ D.T).max(axis=1))
    dual = scale * (r * known).sum(axis=1) - 0.5 * scale**2 * (r**2).sum(axis=1)
    primal = 0.5 * (r**2).sum(axis=1) + 0.5 * np.abs(Z).sum(axis=1)
    np.testing.assert_allclose(info.dual_gap_, (primal - dual) / primal, rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("penalty", ["l0", Lq(0.5)], ids=str)
@boundaries
def test_nonconvex_codes_are_fixed_points_of_the_proximal_step(rng, penalty, boundary):
    X, filters, D = make_case(rng, boundary)
    coder = coder_of(filters, (7, 9), X, boundary=boundary, penalty=penalty, alpha=0.5, tol=1e-8)
    Z, info = coder.encode(X, return_info=True)
    assert Z.any() and info.dual_gap_.max() <= 1e-8
    geometry = ConvolutionGeometry((7, 9), 1, (3, 2), boundary)
    step = 1 / ConvolutionalDictionary(coder.components_, geometry).lipschitz
    to = coder._coding.penalty.prox(Z + step * (X - Z @ D) @ D.T, 0.5 * step)
    np.testing.assert_allclose(to, Z, atol=1e-6)


class TestValid(DictionaryTestCase):
    geometry = ConvolutionGeometry((5, 6), 2, (3, 2), "valid")

    def make(self):
        rng = np.random.default_rng(1)
        taps = np.prod(self.geometry.filter_shape) * self.geometry.n_channels
        return ConvolutionalDictionary(rng.standard_normal((3, taps)), self.geometry)


class TestFull(TestValid):
    geometry = ConvolutionGeometry((5, 6), 2, (3, 2), "full")


class TestCircular(TestValid):
    geometry = ConvolutionGeometry((5, 6), 3, (3, 2), "circular")

    def test_lipschitz_is_the_largest_eigenvalue(self):
        dictionary = self.make()
        D = dictionary.synthesize(np.eye(dictionary.n_components))
        largest = np.linalg.eigvalsh(D.T @ D)[-1]
        np.testing.assert_allclose(dictionary.lipschitz, largest, rtol=1e-12)


class TestSignals(TestValid):
    geometry = ConvolutionGeometry((17,), 1, (4,), "full")


@boundaries
def test_the_operator_is_the_explicit_dictionary(rng, boundary):
    _, filters, D = make_case(rng, boundary, channels=2)
    geometry = ConvolutionGeometry((7, 9), 2, (3, 2), boundary)
    dictionary = ConvolutionalDictionary(filters.reshape(3, -1), geometry)
    np.testing.assert_allclose(dictionary.synthesize(np.eye(len(D))), D, atol=1e-12)


def test_signals_are_images_of_one_row(rng):
    X, filters = rng.standard_normal((2, 60)), rng.standard_normal((2, 5))
    for boundary in BOUNDARIES:
        Z = ConvolutionalSparseCoder(filters, alpha=0.5, boundary=boundary).fit(X).transform(X)
        images = ConvolutionalSparseCoder(
            filters[:, np.newaxis], image_shape=(1, 60), alpha=0.5, boundary=boundary
        )
        np.testing.assert_array_equal(images.fit(X).transform(X), Z)


@pytest.mark.parametrize("solver", ["working_set", "fista"])
def test_from_alpha_max_on_codes_are_zero(rng, solver):
    X, filters, D = make_case(rng, "valid", channels=2)
    X[0, 3:9] = np.nan
    for positive in (False, True):
        coder = coder_of(filters, (7, 9), X, positive=positive, solver=solver)
        alphas = coder.alpha_max(X)
        g = np.nan_to_num(X) @ D.T
        np.testing.assert_allclose(alphas, (g if positive else np.abs(g)).max(axis=1), rtol=1e-12)
        for alpha, x in zip(alphas, X, strict=True):
            for part, some in ((1 + 1e-9, False), (0.99, True)):
                coder.set_params(alpha=alpha * part, tol=1e-8).fit(X)
                assert coder.transform(x[np.newaxis]).any() == some


def test_a_circular_image_that_is_moved_has_moved_codes(rng):
    filters, x = rng.standard_normal((2, 4, 3, 1)), rng.standard_normal((30, 40))
    coder = coder_of(filters, (30, 40), x.reshape(1, -1), alpha=1.0, boundary="circular", tol=1e-9)
    Z = coder.transform(x.reshape(1, -1)).reshape(2, 30, 40)
    moved = coder.transform(np.roll(x, (11, -7), (0, 1)).reshape(1, -1)).reshape(2, 30, 40)
    np.testing.assert_allclose(moved, np.roll(Z, (11, -7), (1, 2)), atol=1e-5)


def test_filters_of_one_pixel_code_each_pixel_by_itself(rng):
    D, X = rng.standard_normal((6, 4)), rng.standard_normal((1, 35 * 4))
    coder = ConvolutionalSparseCoder(
        D.reshape(6, 1, 4), n_channels=4, alpha=0.7, tol=1e-12, max_iter=10_000
    )
    Z = coder.fit(X).transform(X).reshape(6, 35).T
    pixels = X.reshape(35, 4)
    exact = SparseCoder(D, alpha=0.7, tol=1e-13).fit(pixels)
    np.testing.assert_allclose(Z, exact.transform(pixels), atol=1e-5)


def test_without_a_dictionary_codes_are_shrunken_data(rng):
    X = rng.standard_normal((3, 24))
    coder = ConvolutionalSparseCoder(image_shape=(4, 3), n_channels=2, alpha=0.4).fit(X)
    Z = coder.transform(X).reshape(3, 2, 12).transpose(0, 2, 1).reshape(3, 24)
    np.testing.assert_allclose(Z, np.sign(X) * np.maximum(np.abs(X) - 0.4, 0), atol=1e-12)


@boundaries
@pytest.mark.parametrize("masked", [False, True])
def test_threads_do_not_matter_to_a_bit(rng, boundary, masked, monkeypatch):
    monkeypatch.setattr("sklvm.kernels._convolution._ATOMS_A_THREAD", 10)
    filters = rng.standard_normal((9, 5, 6, 1))
    X = rng.standard_normal((1, 110 * 90))
    if masked:
        X[rng.random(X.shape) < 0.2] = np.nan
    params = {"alpha": 4.0, "boundary": boundary, "sparse_output": True, "tol": 1e-3}
    one, three = (
        coder_of(filters, (110, 90), X, n_jobs=n_jobs, **params).transform(X) for n_jobs in (1, 3)
    )
    assert one.nnz > 100
    np.testing.assert_array_equal(one.indices, three.indices)
    np.testing.assert_array_equal(one.data, three.data)


def test_tiles_do_not_matter(rng, monkeypatch):
    from sklvm.kernels import _convolution

    filters, X = rng.standard_normal((4, 3, 3, 1)), rng.standard_normal((1, 60 * 50))
    codes = []
    for width, group in ((24, 4), (5, 1), (1000, 2)):
        monkeypatch.setattr(_convolution, "_TILE", width)
        monkeypatch.setattr(_convolution, "_TILES_A_GROUP", group)
        codes.append(coder_of(filters, (60, 50), X, alpha=1.5, tol=1e-11).transform(X))
    np.testing.assert_allclose(codes[1], codes[0], atol=1e-6)
    np.testing.assert_allclose(codes[2], codes[0], atol=1e-6)


def test_long_signals_are_coded_in_segments(rng, monkeypatch):
    from sklvm.kernels import _convolution

    filters, X = rng.standard_normal((3, 7)), rng.standard_normal((1, 501))
    coder = ConvolutionalSparseCoder(filters, alpha=1.0, tol=1e-9).fit(X)
    whole = coder.transform(X)
    monkeypatch.setattr(_convolution, "_LONG_ROW", 64)
    np.testing.assert_allclose(coder.transform(X), whole, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["working_set", "fista"])
def test_dtypes_layouts_and_csr(rng, dtype, solver):
    X, filters, _ = make_case(rng, "valid")
    X, filters = X.astype(dtype), filters.astype(dtype)
    coder = coder_of(filters, (7, 9), X, alpha=0.5, solver=solver)
    Z = coder.transform(X)
    assert Z.dtype == coder.components_.dtype == coder.score_samples(X).dtype == dtype
    assert coder.inverse_transform(Z).dtype == coder.reconstruct(X).dtype == dtype
    read_only = X.copy()
    read_only.setflags(write=False)
    for same in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], read_only):
        np.testing.assert_array_equal(coder.transform(same), Z)
    csr = coder_of(filters, (7, 9), X, alpha=0.5, solver=solver, sparse_output=True)
    assert sparse.issparse(csr.transform(X)) and csr.transform(X).indices.dtype == np.int32
    np.testing.assert_array_equal(csr.transform(X).toarray(), Z)
    again = csr.inverse_transform(csr.transform(X))
    np.testing.assert_allclose(again, coder.reconstruct(X), atol=1e-6)


@pytest.mark.parametrize("solver", ["working_set", "fista"])
def test_codes_may_start_where_they_ended(rng, solver):
    X, filters, _ = make_case(rng, "full")
    coder = coder_of(filters, (7, 9), X, alpha=0.5, solver=solver, boundary="full", tol=1e-9)
    Z, first = coder.encode(X, return_info=True)
    again, info = coder.encode(X, codes=Z, return_info=True)
    assert info.n_iter_.max() <= 1 < first.n_iter_.min()
    np.testing.assert_allclose(again, Z, atol=1e-7)
    other = coder.encode(X, codes=rng.standard_normal(Z.shape))
    np.testing.assert_allclose(other, Z, atol=1e-4)


def test_an_image_of_nothing_has_no_codes(rng):
    filters = rng.standard_normal((2, 3))
    X = np.vstack([np.zeros(12), np.full(12, np.nan)])
    coder = ConvolutionalSparseCoder(filters, alpha=0.1).fit(X)
    Z, info = coder.encode(X, return_info=True)
    assert not Z.any() and not info.objective_.any() and not info.dual_gap_.any()


@pytest.mark.filterwarnings("ignore:The score of this ConvolutionalSparseCoder:UserWarning")
def test_a_grid_searches_the_strength(rng):
    X, filters, _ = make_case(rng, "valid")
    search = GridSearchCV(
        ConvolutionalSparseCoder(filters, image_shape=(7, 9)), {"alpha": [0.1, 1.0]}, cv=2
    )
    assert search.fit(X).best_params_["alpha"] == 0.1


def test_unfinished_codes_are_warned_of(rng):
    X, filters, _ = make_case(rng, "valid")
    coder = coder_of(filters, (7, 9), X, alpha=0.01, tol=1e-12, max_iter=3)
    with pytest.warns(ConvergenceWarning, match=r"2 of 2 samples did not reach tol=1e-12"):
        coder.transform(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"image_shape": (4, 4)}, r"image_shape=\(4, 4\) of n_channels=1 takes 16 features"),
        ({"image_shape": (2, 5, 2)}, "one or two lengths"),
        ({"n_channels": 3}, "n_channels=3 does not divide"),
        ({"dictionary": np.ones((2, 21))}, r"Filters of \(21,\) are larger than images of \(20,\)"),
        ({"dictionary": np.ones((2, 3)), "image_shape": (4, 5)}, "dictionary must have shape"),
        ({"dictionary": np.full((2, 3), np.inf)}, "infinity"),
        ({"penalty": AtMostNonzero(3)}, "penalty"),
        ({"penalty": "at_most_nonzero"}, "is a constraint"),
        ({"penalty": "l0", "solver": "working_set"}, "choose 'fista'"),
        ({"alpha": 0.0, "solver": "working_set"}, "choose 'fista'"),
        ({"penalty": L1(weights=[1, 2, 3])}, "must have shape"),
        ({"boundary": "reflect"}, "boundary"),
        ({"n_channels": 2, "dictionary": np.ones((2, 3))}, r"\(n_components, length, 2\)"),
    ],
)
def test_bad_parameters_are_named(params, message):
    X = np.ones((2, 20))
    coder = ConvolutionalSparseCoder(np.ones((2, 3))).set_params(**params)
    with pytest.raises(ValueError, match=message):
        coder.fit(X)
    assert not hasattr(coder, "components_")
