"""Chains of dictionaries are dictionaries, whatever the layers are."""

import numpy as np
import pytest

from sklvm.sparse_coding.dictionaries import (
    ComposedDictionary,
    ConvolutionalDictionary,
    ConvolutionGeometry,
    DenseDictionary,
    OnMaps,
)
from sklvm.testing import DictionaryTestCase


def filters_on(image_shape, n_channels, n_filters, filter_shape, boundary, rng):
    geometry = ConvolutionGeometry(image_shape, n_channels, filter_shape, boundary)
    taps = np.prod(filter_shape) * n_channels
    return ConvolutionalDictionary(rng.standard_normal((n_filters, taps)), geometry)


def dense_chain(depth, rng):
    widths = [6, 5, 7, 4][: depth + 1]
    sizes = zip(widths[1:], widths, strict=False)
    return [DenseDictionary(rng.standard_normal(size)) for size in sizes]


def convolutional_chain(depth, boundary, rng):
    """Of filters of 3 × 2 on images of 6 × 5 with two channels, and a matrix on top."""
    layers, shape, channels = [], (6, 5), 2
    for n_filters in (3, 2)[:depth]:
        layer = filters_on(shape, channels, n_filters, (3, 2), boundary, rng)
        shape, channels = layer.geometry.map_shape, n_filters
        layers.append(layer if not layers else OnMaps(layer))
    return layers


class _OfDepth(DictionaryTestCase):
    depth = 1

    def make(self):
        return ComposedDictionary(dense_chain(self.depth, np.random.default_rng(0)))


class TestOneMatrix(_OfDepth):
    depth = 1


class TestTwoMatrices(_OfDepth):
    depth = 2


class TestThreeMatrices(_OfDepth):
    depth = 3


class TestValidFilters(DictionaryTestCase):
    boundary = "valid"
    depth = 2

    def make(self):
        rng = np.random.default_rng(0)
        return ComposedDictionary(convolutional_chain(self.depth, self.boundary, rng))


class TestOneLayerOfFilters(TestValidFilters):
    depth = 1


class TestFullFilters(TestValidFilters):
    boundary = "full"


class TestCircularFilters(TestValidFilters):
    boundary = "circular"


class TestMatrixOnFilters(DictionaryTestCase):
    def make(self):
        rng = np.random.default_rng(0)
        layers = convolutional_chain(2, "valid", rng)
        top = DenseDictionary(rng.standard_normal((3, layers[-1].n_components)))
        return ComposedDictionary([*layers, top])


class TestLargeFilters(DictionaryTestCase):
    """By products of spectra."""

    def make(self):
        rng = np.random.default_rng(0)
        return filters_on((18, 20), 2, 2, (17, 16), "full", rng)


@pytest.mark.parametrize("boundary", ["valid", "full", "circular"])
def test_pull_is_the_gradient_in_the_filters(rng, boundary):
    layer = OnMaps(filters_on((6, 5), 2, 3, (3, 2), boundary, rng))
    Z, X = rng.standard_normal((4, layer.n_components)), rng.standard_normal((4, 60))
    pulled = layer.pull(Z, X)
    for k, tap in [(0, 0), (1, 7), (2, 11)]:
        layer.dictionary.components[...] = 0
        layer.dictionary.components[k, tap] = 1
        np.testing.assert_allclose(pulled[k, tap], np.vdot(X, layer.synthesize(Z)), rtol=1e-10)


def test_dense_pull_is_the_gradient_in_the_atoms(rng):
    layer, Z, X = dense_chain(1, rng)[0], rng.standard_normal((4, 5)), rng.standard_normal((4, 6))
    np.testing.assert_allclose(
        np.vdot(layer.pull(Z, X), layer.atoms), np.vdot(X, layer.synthesize(Z)), rtol=1e-12
    )


def test_the_chain_says_what_codes_mean_on_every_layer(rng):
    layers = dense_chain(3, rng)
    Z = rng.standard_normal((2, 4))
    codes = ComposedDictionary(layers).codes_below(Z)
    assert [c.shape[1] for c in codes] == [6, 5, 7, 4]
    for layer, below, above in zip(layers, codes, codes[1:], strict=False):
        np.testing.assert_allclose(below, layer.synthesize(above), rtol=1e-12)


def test_layers_that_do_not_fit_are_named(rng):
    layers = dense_chain(2, rng)
    with pytest.raises(ValueError, match="layer 2 have 6 entries, but layer 1 has 7 components"):
        ComposedDictionary(layers[::-1])
    with pytest.raises(ValueError, match="at least one layer"):
        ComposedDictionary([])
