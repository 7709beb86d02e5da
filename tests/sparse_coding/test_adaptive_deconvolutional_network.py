"""Pools and switches, chains of them, and what adaptive networks are in special cases."""

import numpy as np
import pytest
from scipy import signal
from sklearn.datasets import load_digits

from sklvm import (
    AdaptiveDeconvolutionalNetwork,
    ConvolutionalDictionaryLearner,
    ConvolutionalSparseCoder,
    SparseCoder,
)
from sklvm.base import generator_from
from sklvm.sparse_coding.dictionaries import ConvolutionGeometry
from sklvm.sparse_coding.layered._adaptive_inference import infer_maps
from sklvm.sparse_coding.layered._pooling import middle_switches, pool, pool_at, unpool
from sklvm.sparse_coding.layered._switched_chain import PooledLayer, SwitchedChain

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data[:12] / 16
    return X - X.mean(axis=0)


def falling(values):
    values = values[np.isfinite(values)]
    return len(values) > 1 and (np.diff(values) <= 1e-12 * values[0]).all()


# -- pools ----------------------------------------------------------------------------------------

sizes = pytest.mark.parametrize("size", [(1, 1, 1), (2, 3, 1), (1, 2, 2), (2, 3, 2)])


@sizes
def test_pools_keep_the_greatest_of_each_block(rng, size):
    maps = rng.standard_normal((2, 4, 6, 4))
    pooled, switches = pool(maps, size)
    a, b, c = size
    for n, i, j, k in np.ndindex(pooled.shape):
        block = maps[n, i * a : (i + 1) * a, j * b : (j + 1) * b, k * c : (k + 1) * c]
        at = np.unravel_index(np.abs(block).argmax(), block.shape)
        assert pooled[n, i, j, k] == block[at]
        assert switches[n, i, j, k] == np.ravel_multi_index(at, size)


def test_of_equal_entries_the_first_is_kept():
    pooled, switches = pool(np.array([[[[-2.0], [2.0]], [[2.0], [1.0]]]]), (2, 2, 1))
    assert pooled.item() == -2.0 and switches.item() == 0


@sizes
def test_pooling_what_was_unpooled_gives_it_back(rng, size):
    maps = rng.standard_normal((2, 4, 6, 4))
    pooled, switches = pool(maps, size)
    once = unpool(pooled, switches, size)
    again, same = pool(once, size)
    np.testing.assert_array_equal(again, pooled)
    np.testing.assert_array_equal(same, switches)
    np.testing.assert_array_equal(unpool(again, same, size), once)
    assert np.count_nonzero(once) == pooled.size
    np.testing.assert_array_equal(once[once != 0], maps[once != 0])


@sizes
def test_pooling_at_switches_is_the_adjoint_of_unpooling(rng, size):
    maps = rng.standard_normal((2, 4, 6, 4))
    _, switches = pool(rng.standard_normal(maps.shape), size)
    values = rng.standard_normal(switches.shape)
    left = np.vdot(unpool(values, switches, size), maps)
    assert left == pytest.approx(np.vdot(values, pool_at(maps, switches, size)), rel=1e-12)
    norm = np.linalg.norm(unpool(values, switches, size))
    assert norm == pytest.approx(np.linalg.norm(values))


def test_the_middle_of_a_block():
    switches = middle_switches((1, 1, 1, 1), (3, 3, 1))
    maps = unpool(np.ones((1, 1, 1, 1)), switches, (3, 3, 1))
    assert maps[0, 1, 1, 0] == 1 and maps.sum() == 1


# -- chains ---------------------------------------------------------------------------------------


def chain_of(depth, boundary, rng, size=(2, 2, 2)):
    layers, switches, shape, channels = [], [], (9, 11), 1
    for n_filters in (4, 6, 4)[:depth]:
        geometry = ConvolutionGeometry(shape, channels, (2, 2), boundary)
        filters = rng.standard_normal((n_filters, 2, 2, channels))
        own = tuple(s if n % s == 0 else 1 for n, s in zip(geometry.map_shape, size, strict=False))
        pools = (*own, size[2])
        layers.append(PooledLayer(filters, geometry, pools))
        maps = rng.standard_normal((3, *geometry.map_shape, n_filters))
        switches.append(pool(maps, pools)[1])
        shape, channels = switches[-1].shape[1:3], n_filters // pools[2]
    return SwitchedChain(layers, switches[:-1]), maps.shape[1:]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("boundary", ["valid", "full", "circular"])
def test_chains_have_adjoints_at_every_depth(rng, depth, boundary):
    chain, shape = chain_of(depth, boundary, rng)
    maps, images = rng.standard_normal((3, *shape)), rng.standard_normal((3, 9, 11, 1))
    left = np.einsum("nijc,nijc->n", chain.synthesize(maps), images)
    right = np.einsum("nijk,nijk->n", maps, chain.correlate(images))
    np.testing.assert_allclose(left, right, rtol=1e-10)
    # The same through the gradient in the filters of the last layer.
    last = chain.layers[-1]
    pulled = last.pull(maps, chain.back(images))
    assert np.vdot(pulled, last.filters) == pytest.approx(left.sum(), rel=1e-10)


@pytest.mark.parametrize("boundary", ["valid", "full", "circular"])
def test_products_of_filter_norms_bound_the_operator(rng, boundary):
    chain, shape = chain_of(3, boundary, rng)
    bound = 1.0
    for layer in chain.layers:
        taps = layer.filters
        grid = tuple(
            n + 1
            for n in layer.geometry.padded(np.zeros((1, layer.geometry.n_features))).shape[1:3]
        )
        spectra = np.fft.fft2(taps, s=grid, axes=(1, 2))
        products = np.einsum("kfgc,kfge->fgce", spectra, spectra.conj())
        bound *= np.linalg.eigvalsh(products).max()
    maps = rng.standard_normal((3, *shape))
    for _ in range(50):
        maps = chain.correlate(chain.synthesize(maps))
        norms = np.linalg.norm(maps.reshape(3, -1), axis=1)
        maps /= norms[:, None, None, None]
    assert (norms <= bound * (1 + 1e-9)).all() and norms.min() > 0


# -- inference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("pools", [(1, 1, 1), (2, 2, 2)])
def test_steps_never_raise_the_objective_and_keep_one_entry_a_block(rng, pools, positive):
    chain, _ = chain_of(2, "circular", rng, size=(1, 3, 2))
    layers = [chain.layers[0], chain.layers[1]._replace(pool_size=(1, 1, 1))]
    if pools != (1, 1, 1):
        layers[1] = layers[1]._replace(pool_size=(3, 1, 2))
    chain = SwitchedChain(layers, chain.switches)
    images = rng.standard_normal((3, 9, 11, 1))
    values, start = [], None
    for _ in range(15):
        found = infer_maps(chain, images, 0.5, positive=positive, start=start, tol=0, max_iter=2)
        residual = images - chain.synthesize(found.maps)
        objective = 0.5 * (residual**2).sum(axis=(1, 2, 3)) + 0.5 * np.abs(found.maps).sum(
            axis=(1, 2, 3)
        )
        np.testing.assert_allclose(found.objectives, objective, rtol=1e-10)
        values.append(objective)
        pooled, _ = pool(found.maps, layers[1].pool_size)
        np.testing.assert_array_equal(
            unpool(pooled, found.switches, layers[1].pool_size), found.maps
        )
        assert not positive or (found.maps >= 0).all()
        start = found.maps, found.switches
    assert (np.diff(values, axis=0) <= 1e-10).all()
    assert (values[-1] < 0.5 * (images**2).sum(axis=(1, 2, 3))).all()


def network_of(filters, X, alphas, **params):
    """A network of these filters: fitted, and its filters replaced."""
    network = AdaptiveDeconvolutionalNetwork(
        tuple(len(F) for F in filters),
        filter_shape=[F.shape[1:3] for F in filters],
        data_weight=[1 / a for a in alphas],
        max_iter=1,
        random_state=0,
        **params,
    ).fit(X)
    network._training.components = [F.reshape(len(F), -1) for F in filters]
    network._publish()
    return network


@pytest.mark.parametrize("boundary", ["valid", "full"])
def test_without_pools_a_layer_is_convolutional_coding_by_the_filters_convolved(rng, boundary):
    X = rng.standard_normal((2, 90))
    F1, F2 = rng.standard_normal((2, 3, 2, 1)), rng.standard_normal((3, 2, 2, 2))
    network = network_of(
        [F1, F2],
        X,
        [0.7, 0.9],
        image_shape=(9, 10),
        pool_size=1,
        boundary=boundary,
        code_tol=2e-4,
        code_max_iter=3000,
    )
    both = np.array(
        [sum(signal.convolve(f[:, :, c], F1[c, :, :, 0]) for c in range(2)) for f in F2]
    )
    for layer, filters, alpha in ((1, F1[..., 0], 0.7), (2, both, 0.9)):
        if boundary == "full" and layer == 2:
            continue  # the maps of the first layer are cut to what makes the image
        single = ConvolutionalSparseCoder(
            filters, image_shape=(9, 10), alpha=alpha, boundary=boundary, tol=1e-10
        ).fit(X)
        Z, info = single.encode(X, return_info=True)
        codes, _, of_network = network.encode(X, return_info=True)
        np.testing.assert_allclose(of_network.objective_[:, layer - 1], info.objective_, rtol=2e-4)
        np.testing.assert_allclose(codes[layer - 1], Z, atol=0.1 * np.abs(Z).max())
        assert of_network.dual_gap_[:, layer - 1].max() <= 2e-4
    np.testing.assert_allclose(
        network.score_samples(X), -network.encode(X, return_info=True)[2].objective_[:, 1]
    )


def test_filters_of_one_pixel_are_sparse_coding_of_channels(rng):
    X, D = rng.standard_normal((2, 4 * 5 * 3)), rng.standard_normal((6, 3))
    network = network_of(
        [D.reshape(6, 1, 1, 3)],
        X,
        [0.5],
        image_shape=(4, 5),
        n_channels=3,
        code_tol=1e-6,
        code_max_iter=3000,
    )
    pixels = X.reshape(40, 3)
    coder = SparseCoder(D, alpha=0.5, tol=1e-10).fit(pixels)
    expected = coder.transform(pixels).reshape(2, 20, 6).transpose(0, 2, 1).reshape(2, -1)
    np.testing.assert_allclose(network.transform(X), expected, atol=2e-3)


# -- learning -------------------------------------------------------------------------------------


def test_one_layer_learns_what_a_convolutional_learner_does(digits, monkeypatch):
    """From the same filters, to the same objective."""
    params = {"filter_shape": 3, "image_shape": (8, 8), "tol": 0, "random_state": 1}
    X = digits[:6]
    network = AdaptiveDeconvolutionalNetwork(
        4, data_weight=2.0, pool_size=1, max_iter=12, code_tol=1e-3, code_max_iter=60, **params
    ).fit(X)
    monkeypatch.setattr(
        "sklvm.sparse_coding._convolutional_dictionary_learner.generator_from",
        lambda seed: generator_from(seed).spawn(2)[1].spawn(1)[0],
    )
    monkeypatch.setattr(
        "sklvm.sparse_coding._convolutional_expectation.centring_move", lambda d: (0, 0)
    )
    single = ConvolutionalDictionaryLearner(
        4, alpha=0.5, boundary="full", max_iter=12, code_tol=1e-3, **params
    ).fit(X)
    ours, theirs = network.history_["objective"][-1], single.history_["objective"][-1]
    assert ours == pytest.approx(theirs, rel=0.03)
    assert falling(network.history_["objective"])


@pytest.mark.parametrize("pool_size", [1, [(2, 2, 1), (1, 1, 2)], "auto"])
def test_no_pass_over_a_layer_raises_its_objective(digits, pool_size):
    network = AdaptiveDeconvolutionalNetwork(
        (4, 6),
        filter_shape=3,
        image_shape=(8, 8),
        pool_size=pool_size,
        max_iter=4,
        tol=0,
        random_state=0,
    ).fit(digits)
    first, last = network.history_["objective_1"], network.history_["objective"]
    assert falling(first) and falling(last)
    assert np.nanmin(last) < 0.9 * 0.5 * (digits**2).sum(axis=1).mean()
    for D in network.components_:
        assert (np.linalg.norm(D, axis=1) <= 1 + 1e-12).all()
    *_, info = network.encode(digits, return_info=True)
    assert info.objective_.shape == (12, 2)


# -- the estimator --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network(digits):
    return AdaptiveDeconvolutionalNetwork(
        (4, 6, 4),
        filter_shape=3,
        image_shape=(8, 8),
        pool_size=[(2, 2, 2), (1, 1, 1), 1],
        max_iter=2,
        random_state=0,
    ).fit(digits)


def test_images_are_made_through_the_switches_of_each(network, digits):
    codes, switches = network.encode(digits)
    assert network.pool_sizes_ == [(2, 2, 2), (1, 1, 1), (1, 1, 1)]
    for layer in (1, 2, 3):
        made = network.inverse_transform(codes[layer - 1], layer=layer, switches=switches)
        np.testing.assert_allclose(made, network.reconstruct(digits, layer=layer), atol=1e-12)
        np.testing.assert_array_equal(network.transform(digits, layer=layer), codes[layer - 1])
    own = ((digits - network.reconstruct(digits)) ** 2).sum()
    middle = ((digits - network.inverse_transform(codes[2])) ** 2).sum()
    assert own < middle


def test_features_are_projected_alone_where_they_are_strongest(network, digits):
    codes, switches = network.encode(digits)
    pictures, rows = network.strongest(digits, layer=2)
    maps = codes[1].reshape(12, 6, -1)
    for k in range(6):
        row, place = np.unravel_index(np.abs(maps[:, k]).argmax(), maps[:, k].shape)
        assert np.abs(maps[rows[k], k]).max() == np.abs(maps[:, k]).max()
        alone = np.zeros_like(maps[:1])
        alone[0, k, place] = maps[row, k, place]
        of_row = [s[[row]] for s in switches]
        expected = network.inverse_transform(alone.reshape(1, -1), layer=2, switches=of_row)[0]
        np.testing.assert_allclose(pictures[k], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"pool_size": [(3, 2, 1), 1]},
            "of layer 1 does not divide its maps of shape .10, 10.",
        ),
        ({"pool_size": [(2, 2, 3), 1]}, "does not divide its 4 maps"),
        ({"pool_size": [2]}, "a list of one for each of the 2 layers"),
        ({"pool_size": [(2, 2), 1]}, "must have 3 positive lengths"),
        ({"filter_shape": [3, 30]}, "filters of layer 2 have shape .30, 30., and do not fit"),
        ({"filter_shape": [3, 3, 3]}, "one for each of the 2 layers"),
        ({"data_weight": [1.0]}, "data_weight must be one number or one for each"),
        ({"image_shape": (7, 7)}, "image_shape"),
    ],
)
def test_layers_that_cannot_be_are_named_before_any_work(digits, params, message):
    params = {"filter_shape": 3, "image_shape": (8, 8), **params}
    model = AdaptiveDeconvolutionalNetwork((4, 6), **params)
    with pytest.raises(ValueError, match=message):
        model.fit(digits)
    assert not hasattr(model, "components_")


def test_switches_that_do_not_fit_are_refused(network, digits):
    codes, switches = network.encode(digits)
    with pytest.raises(ValueError, match="switches of layer 1 must have shape"):
        network.inverse_transform(codes[1][:3], layer=2, switches=switches)
    with pytest.raises(ValueError, match="from 0 to below 8"):
        network.inverse_transform(codes[1], layer=2, switches=[switches[0] + 8])
    with pytest.raises(ValueError, match="need switches of 2 layers, got 1"):
        network.inverse_transform(codes[2], switches=switches[:1])
    with pytest.raises(ValueError, match="layer must be an integer from 1 to 3"):
        network.transform(digits, layer=4)
