"""Stacks that are learned: single layers, gradients of the holistic objective, monotone passes."""

import warnings

import numpy as np
import pytest
from scipy import signal
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sklvm import (
    ConvolutionalDictionaryLearner,
    DeconvolutionalNetwork,
    DictionaryLearner,
    LayeredDictionaryLearner,
    LayeredSparseCoder,
)
from sklvm.base import generator_from
from sklvm.sparse_coding.dictionaries import (
    ConvolutionalDictionary,
    ConvolutionGeometry,
    DenseDictionary,
    OnMaps,
)
from sklvm.sparse_coding.layered._holistic_refinement import HolisticRefinement
from sklvm.statistics import ConvolutionalStatistics

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data[:60] / 16
    return X - X.mean(axis=0)


def first_generator(seed):
    """The generator that the first layer of a stack starts from."""
    _, rng = generator_from(seed).spawn(2)
    return rng.spawn(1)[0]


def falling(values):
    values = values[np.isfinite(values)]
    return len(values) > 1 and (np.diff(values) <= 1e-12 * values[0]).all()


# -- one layer ------------------------------------------------------------------------------------


def test_one_dense_layer_is_a_dictionary_learner(digits, monkeypatch):
    stack = LayeredDictionaryLearner(
        (10,), alpha=0.2, method="pursuit", max_iter=8, code_tol=1e-6, tol=0, random_state=3
    ).fit(digits)
    monkeypatch.setattr("sklvm.sparse_coding._dictionary_learner.generator_from", first_generator)
    single = DictionaryLearner(10, alpha=0.2, max_iter=8, tol=0, random_state=3).fit(digits)
    np.testing.assert_array_equal(stack.components_[0], single.components_)
    np.testing.assert_array_equal(stack.history_["objective"], single.history_["objective"])
    np.testing.assert_allclose(stack.transform(digits), single.transform(digits), atol=1e-12)


@pytest.mark.parametrize("boundary", ["valid", "full"])
def test_one_layer_of_filters_is_a_convolutional_learner(digits, monkeypatch, boundary):
    X = digits[:20]
    params = {"filter_shape": 3, "image_shape": (8, 8), "boundary": boundary}
    params |= {"max_iter": 4, "tol": 0, "code_tol": 1e-4, "random_state": 3}
    network = DeconvolutionalNetwork((4,), data_weight=5.0, **params).fit(X)
    monkeypatch.setattr(
        "sklvm.sparse_coding._convolutional_dictionary_learner.generator_from", first_generator
    )
    monkeypatch.setattr(
        "sklvm.sparse_coding._convolutional_expectation.centring_move", lambda d: (0, 0)
    )
    single = ConvolutionalDictionaryLearner(4, alpha=0.2, **params).fit(X)
    np.testing.assert_array_equal(network.components_[0], single.components_)
    np.testing.assert_array_equal(network.transform(X), single.transform(X))
    np.testing.assert_allclose(network.reconstruct(X), single.reconstruct(X), atol=1e-12)


# -- several layers -------------------------------------------------------------------------------


def test_layers_code_the_codes_below_and_objectives_fall(digits):
    stack = LayeredDictionaryLearner(
        (12, 9), method="pursuit", max_iter=6, tol=0, code_tol=1e-8, random_state=0
    ).fit(digits)
    assert [D.shape for D in stack.components_] == [(12, 64), (9, 12)]
    assert (np.linalg.norm(np.vstack([stack.components_[1]]), axis=1) <= 1 + 1e-12).all()
    codes, info = stack.encode(digits, return_info=True)
    # The last value of each layer is that of the codes and the dictionary as they are.
    value = 0.5 * info.residual_norms_**2 + stack.alphas_ * info.l1_norms_
    for layer, name in ((0, "objective_1"), (1, "objective")):
        known = stack.history_[name][np.isfinite(stack.history_[name])]
        assert falling(known) and len(known) == 6
        np.testing.assert_allclose(known[-1], value[:, layer].mean(), rtol=1e-6)
    below = codes[0]
    expected = 0.1 * np.array([np.linalg.norm(Z, axis=1).mean() for Z in (digits, below)])
    np.testing.assert_allclose(stack.alphas_, expected, rtol=1e-6)
    coder = LayeredSparseCoder(stack.components_, alpha=stack.alphas_, tol=1e-8).fit(digits)
    np.testing.assert_allclose(coder.transform(digits), codes[1], atol=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        {"n_components": (16, 12)},
        {"n_components": (16, 12), "positive": True, "solver": "ml_fista"},
        {"n_components": (4, 5, 6), "filter_shape": [3, 3, None], "image_shape": (8, 8)},
    ],
    ids=["dense", "non-negative", "filters"],
)
def test_refinement_lowers_the_holistic_objective_and_never_raises_it(digits, params):
    X = digits[:25]
    stack = LayeredDictionaryLearner(
        **params, max_iter=6, code_max_iter=200, tol=1e-6, random_state=0
    ).fit(X)
    objective = stack.history_["objective"]
    objective = objective[np.isfinite(objective)]
    assert falling(objective) and objective[-1] < 0.995 * objective[0]
    assert all(
        (np.linalg.norm(D, axis=1) <= 1 + 1e-12).all() and np.isfinite(D).all()
        for D in stack.components_
    )
    assert falling(stack.history_["objective_1"]) and falling(stack.history_["objective_2"])


def dense_layers(components):
    return [DenseDictionary(D) for D in components]


def filter_layers(components):
    first = ConvolutionGeometry((5, 4), 1, (2, 2), "full")
    second = ConvolutionGeometry(first.map_shape, 2, (2, 3), "full")
    return [
        ConvolutionalDictionary(components[0], first),
        OnMaps(ConvolutionalDictionary(components[1], second)),
    ]


@pytest.mark.parametrize("kind", ["dense", "filters"])
def test_gradients_are_those_of_the_least_objective(rng, kind):
    """By differences of min over codes."""
    build, shapes = (
        (dense_layers, [(7, 6), (5, 7)]) if kind == "dense" else (filter_layers, [(2, 4), (2, 12)])
    )
    n_features = 6 if kind == "dense" else 20
    components = [0.4 * rng.standard_normal(shape) for shape in shapes]
    X, weights = 3 * rng.standard_normal((4, n_features)), np.array([1.0, 2.0, 0.5, 1.0])

    def at(components):
        n_codes = build(components)[-1].n_components
        return HolisticRefinement(
            components,
            build,
            np.array([0.05, 0.1]),
            False,
            "admm",
            1e-13,
            20_000,
            X,
            weights,
            np.zeros((4, n_codes)),
        )

    refinement = at(components)
    _, chain, codes, multipliers = refinement._state
    gradients = refinement._gradients(chain, codes, multipliers)
    for layer, (_, G) in enumerate(gradients):
        for entry in [(0, 0), (1, 2)]:
            values = []
            for step in (1e-5, -1e-5):
                changed = [D.copy() for D in components]
                changed[layer][entry] += step
                values.append(at(changed).objective * weights.sum())
            difference = (values[0] - values[1]) / 2e-5
            assert G[entry] == pytest.approx(difference, rel=1e-3, abs=1e-4 * np.abs(G).max())


def test_a_warm_start_refines_what_there_is(digits):
    stack = LayeredDictionaryLearner(
        (10, 8), max_iter=2, tol=0, warm_start=True, random_state=0
    ).fit(digits)
    before = stack.history_["objective"][-1]
    stack.fit(digits)
    assert "layer" not in stack.history_ and stack.history_["objective"][-1] < before
    with pytest.raises(ValueError, match=r"10, 8\) components, which do not go with"):
        stack.set_params(n_components=(10, 7)).fit(digits)


# -- deconvolutional networks ---------------------------------------------------------------------


def test_images_are_made_by_chaining_the_filters(digits):
    X = digits[:6]
    network = DeconvolutionalNetwork(
        (3, 4), filter_shape=3, image_shape=(8, 8), max_iter=2, random_state=0
    ).fit(X)
    assert network.map_shapes_ == [(10, 10), (12, 12)]
    F1, F2 = network.components_[0].reshape(3, 3, 3), network.components_[1].reshape(4, 3, 3, 3)
    z1, z2 = network.encode(X)

    def image(maps):
        x = sum(signal.convolve(z, f) for z, f in zip(maps, F1, strict=True))
        return x[2:-2, 2:-2].ravel()

    first = [image(z.reshape(3, 10, 10)) for z in z1]
    np.testing.assert_allclose(network.reconstruct(X, layer=1), first, atol=1e-12)
    for z, found in zip(z2.reshape(-1, 4, 12, 12), network.reconstruct(X), strict=True):
        maps = [
            sum(signal.convolve(z[k], F2[k, :, :, c]) for k in range(4))[2:-2, 2:-2]
            for c in range(3)
        ]
        np.testing.assert_allclose(found, image(maps), atol=1e-12)
    np.testing.assert_allclose(network.inverse_transform(z2), network.reconstruct(X), atol=1e-12)
    both = [sum(signal.convolve(F2[k, :, :, c], F1[c]) for c in range(3)) for k in range(4)]
    np.testing.assert_allclose(network.projections()[..., 0], both, atol=1e-12)
    np.testing.assert_allclose(network.projections(layer=1)[..., 0], F1, atol=0)
    for name in ("objective_1", "objective"):
        assert falling(network.history_[name])


def test_filters_make_only_the_maps_that_they_are_connected_to(digits):
    X = digits[:10]
    pattern = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 1], [0, 1, 0]])
    network = DeconvolutionalNetwork(
        (3, 4),
        filter_shape=3,
        image_shape=(8, 8),
        connectivity=[None, pattern],
        max_iter=3,
        tol=0,
        random_state=0,
    ).fit(X)
    taps = network.components_[1].reshape(4, 9, 3)
    np.testing.assert_array_equal(taps.any(axis=1), pattern.astype(bool))
    assert falling(network.history_["objective"])


def test_a_connected_filter_is_the_minimum_among_such_filters(rng):
    """One filter on two of three channels, against statistics of these two alone."""
    image = rng.standard_normal((6, 7, 3))
    places = np.array([0, 2, 4]), np.array([1, 3, 0]), np.zeros(3, dtype=int)
    codes = np.array([1.0, -0.5, 2.0])
    some = ConvolutionalStatistics.collect([(image, places, codes, 1.0)], (1, 2, 3, 3))
    kept = image[:, :, [0, 2]].copy()
    few = ConvolutionalStatistics.collect([(kept, places, codes, 1.0)], (1, 2, 3, 2))
    start = np.ones((1, 2, 3, 3)) * np.array([1, 0, 1]) / 5
    solved = some.solve(start, connectivity=np.array([[True, False, True]]))
    expected = few.solve(start[..., [0, 2]])
    np.testing.assert_allclose(solved[..., [0, 2]], expected, atol=1e-12)
    assert not solved[..., 1].any()


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LayeredDictionaryLearner(()), "n_components must be positive integers"),
        (LayeredDictionaryLearner((4, 0)), "n_components must be positive integers"),
        (LayeredDictionaryLearner((4, 3), alpha=[1.0]), "one for each of the 2 layers"),
        (LayeredDictionaryLearner((4, 3), alpha=[1.0, 0.0]), "positive alpha on the last layer"),
        (LayeredDictionaryLearner((4, 3), filter_shape=3), "needs image_shape"),
        (
            LayeredDictionaryLearner((4, 3), filter_shape=[3], image_shape=(8, 8)),
            "a list of one for each of the 2 layers",
        ),
        (
            LayeredDictionaryLearner((4, 3), filter_shape=[None, 3], image_shape=(8, 8)),
            "layer 1 is dense and has no maps",
        ),
        (
            LayeredDictionaryLearner((4, 3), filter_shape=5, image_shape=(8, 8)),
            "filters of layer 2 have shape .5, 5., and do not fit into the maps of layer 1",
        ),
        (
            LayeredDictionaryLearner((4, 3), filter_shape=(3, 3, 3), image_shape=(8, 8)),
            "must have 2 positive lengths",
        ),
        (DeconvolutionalNetwork((4, 3), data_weight=[1.0, 0.0]), "data_weight must be positive"),
        (DeconvolutionalNetwork((4, 3), connectivity=[None]), "for each of the 2 layers, got 1"),
        (
            DeconvolutionalNetwork((4, 3), connectivity=[None, np.ones((4, 3))]),
            r"connectivity\[1\] must have shape \(3, 4\)",
        ),
        (
            DeconvolutionalNetwork((4, 3), connectivity=[None, np.eye(3, 4) * 0]),
            "be true somewhere",
        ),
        (DeconvolutionalNetwork((4,), image_shape=(5, 5)), "image_shape"),
    ],
)
def test_layers_that_cannot_be_are_named_before_any_work(digits, model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(digits)
    assert not hasattr(model, "components_")


def test_there_are_no_streams():
    assert not hasattr(DeconvolutionalNetwork(), "partial_fit")
    assert not hasattr(LayeredDictionaryLearner(), "partial_fit")


def test_a_fit_that_is_cut_short_is_warned_of(digits):
    model = LayeredDictionaryLearner((5, 4), max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.warns(ConvergenceWarning, match="max_iter=1 "):
            model.fit(digits)
