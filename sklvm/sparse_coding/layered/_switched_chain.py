"""Filters and unpooling in turn: the operator from the maps of a layer to images."""

from typing import NamedTuple

import numpy as np

from sklvm.sparse_coding.dictionaries import (
    ConvolutionGeometry,
    correlate_filters,
    filter_gradient,
    synthesize_filters,
)
from sklvm.sparse_coding.layered._pooling import pool_at, unpool

__all__ = ["PooledLayer", "SwitchedChain"]


class PooledLayer(NamedTuple):
    """Filters, where they lie, and the pools of their maps.

    Attributes
    ----------
    filters : ndarray of shape (K, height, width, channels)
    geometry : ConvolutionGeometry
    pool_size : tuple of int
        Along rows, columns and maps.
    """

    filters: np.ndarray
    geometry: ConvolutionGeometry
    pool_size: tuple

    def synthesize(self, maps, filters=None):
        """Images of the layer, of maps of (n, rows, columns, K)."""
        images = synthesize_filters(maps, self.filters if filters is None else filters)
        return self._as_images(self.geometry.cropped(images))

    def correlate(self, images):
        return correlate_filters(self.geometry.padded(self._flat(images)), self.filters)

    def pull(self, maps, images):
        """Gradient of ⟨images, synthesize(maps)⟩ in the filters."""
        padded = self.geometry.padded(self._flat(images))
        return filter_gradient(maps, padded, self.filters.shape[1:3])

    def _as_images(self, rows):
        shape = self.geometry.two_axes(self.geometry.image_shape)
        return rows.reshape(len(rows), *shape, self.geometry.n_channels)

    @staticmethod
    def _flat(images):
        return images.reshape(len(images), -1)


class SwitchedChain:
    """R z = F_1 U_1 F_2 U_2 … F_l z for some rows, each with its own switches in U_1, …, U_{l−1}.

    With its switches R is linear, and ‖R‖² ≤ Π_j ‖F_j‖², for ‖U‖ = 1.

    Parameters
    ----------
    layers : list of PooledLayer
        From the images up; the pools of the last are not part of R.
    switches : list of ndarray of shape (n, *pooled shape)
        One for each layer but the last.
    """

    def __init__(self, layers, switches):
        self.layers, self.switches = layers, switches

    def rows(self, which):
        """The operator of some of the rows."""
        return SwitchedChain(self.layers, [s[which] for s in self.switches])

    def synthesize(self, maps, filters=None):
        """Images of maps of the last layer; `filters` in place of that layer's."""
        *below, last = self.layers
        images = last.synthesize(maps, filters)
        for layer, switches in zip(below[::-1], self.switches[::-1], strict=True):
            images = layer.synthesize(unpool(images, switches, layer.pool_size))
        return images

    def correlate(self, images):
        """The adjoint: maps of the last layer."""
        return self.layers[-1].correlate(self.back(images))

    def back(self, images):
        """The adjoint of all that is below the filters of the last layer."""
        for layer, switches in zip(self.layers, self.switches, strict=False):
            images = pool_at(layer.correlate(images), switches, layer.pool_size)
        return images
