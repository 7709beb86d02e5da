"""Filters at all places of an image."""

import math
from functools import cached_property

import numpy as np
from scipy import fft, sparse

from sklvm.sparse_coding.dictionaries._filter_products import (
    correlate_filters,
    filter_gradient,
    synthesize_filters,
)

__all__ = ["ConvolutionalDictionary"]

# Pixels of a filter from which on Fourier transforms are faster than matrix products.
_MANY_PIXELS = 256
_ROWS_AT_A_TIME = 64


class ConvolutionalDictionary:
    """The atoms are filters at places: x = Σ_k d_k ∗ z_k for one code z = (z_1, …, z_K) of maps.

    Sums over places are matrix products of the windows of images; for large filters, of more than
    256 pixels, they are products of spectra on a grid that no place wraps around: the image and a
    filter less a pixel, or the image itself with a circular boundary.

    Parameters
    ----------
    components : ndarray of shape (K, n_taps)
        Filters, flat; channels last.
    geometry : ConvolutionGeometry

    Attributes
    ----------
    n_components : int
        K times the number of places, the length of a code.
    n_weights : int
        K: the places of a filter share the weight of their penalty.
    lipschitz : float
        max over frequencies ω of the largest eigenvalue of the (channels × channels) matrix
        Σ_k d̂_k(ω) d̂_k(ω)ᴴ: exact for a circular boundary, and a bound for the others and all masks.
    """

    def __init__(self, components, geometry):
        self.components, self.geometry = np.asarray(components, dtype=np.float64), geometry
        self.n_weights = len(components)
        self.n_components = self.n_weights * geometry.n_places
        self.n_features = geometry.n_features
        self._n_axes = len(geometry.image_shape)

    def synthesize(self, Z):
        if sparse.issparse(Z):
            Z = sparse.csr_array(Z)
        out = np.empty((Z.shape[0], self.n_features))
        for first in range(0, len(out), _ROWS_AT_A_TIME):
            rows = slice(first, first + _ROWS_AT_A_TIME)
            codes = Z[rows].toarray() if sparse.issparse(Z) else Z[rows]
            out[rows] = self._synthesize(np.asarray(codes, dtype=np.float64))
        return out

    def correlate(self, X, mask=None):
        out = np.empty((len(X), self.n_components))
        for first in range(0, len(X), _ROWS_AT_A_TIME):
            rows = slice(first, first + _ROWS_AT_A_TIME)
            some = X[rows] if mask is None else np.where(mask, X[rows], 0)
            out[rows] = self._correlate(some)
        return out

    def pull(self, Z, X):
        """Gradient of ⟨X, synthesize(Z)⟩ in the filters.

        Parameters
        ----------
        Z : ndarray of shape (n, n_components)
        X : ndarray of shape (n, n_features)

        Returns
        -------
        gradient : ndarray of shape (K, n_taps)
        """
        shape = self._filters.shape[1:3]
        total = np.zeros(self._filters.shape)
        for first in range(0, len(X), _ROWS_AT_A_TIME):
            rows = slice(first, first + _ROWS_AT_A_TIME)
            total += filter_gradient(self._maps(Z[rows]), self.geometry.padded(X[rows]), shape)
        return total.reshape(self.n_weights, -1)

    def norms(self, mask=None):
        geometry = self.geometry
        known = np.ones(self.n_features) if mask is None else np.asarray(mask, dtype=np.float64)
        known = known.reshape(*geometry.image_shape, geometry.n_channels)
        wraps = geometry.boundary == "circular"
        after = [width - 1 for width in geometry.filter_shape]
        before = [0] * len(after) if wraps else geometry.margins
        pads = [*zip(before, after if wraps else before, strict=True), (0, 0)]
        known = np.pad(known, pads, mode="wrap" if wraps else "constant")
        taps = self.components.reshape(-1, *geometry.filter_shape, geometry.n_channels)
        squares = np.zeros((self.n_weights, *geometry.map_shape))
        # Summed tap by tap: a transform would leave an error of 1e-8 in norms near zero.
        for tap in np.ndindex(*geometry.filter_shape):
            places = zip(tap, geometry.map_shape, strict=True)
            at = tuple(slice(first, first + n) for first, n in places)
            weights = taps[(slice(None), *tap)] ** 2
            squares += np.einsum("kc,...c->k...", weights, known[at])
        return np.sqrt(squares).ravel()

    def atom(self, k):
        code = sparse.csr_array(([1.0], ([0], [k])), shape=(1, self.n_components))
        return self.synthesize(code)[0]

    @cached_property
    def lipschitz(self):
        spectra = self._spectra.reshape(self.n_weights, -1, self.geometry.n_channels)
        products = np.einsum("kfc,kfe->fce", spectra, spectra.conj())
        return float(np.linalg.eigvalsh(products)[:, -1].max())

    @cached_property
    def _grid(self):
        geometry = self.geometry
        if geometry.boundary == "circular":
            return geometry.image_shape
        pairs = zip(geometry.image_shape, geometry.filter_shape, strict=True)
        return tuple(fft.next_fast_len(n + width - 1, real=True) for n, width in pairs)

    @cached_property
    def _spectra(self):
        """Of the filters, of shape (K, *frequencies, channels)."""
        geometry = self.geometry
        filters = self.components.reshape(-1, *geometry.filter_shape, geometry.n_channels)
        return fft.rfftn(filters, s=self._grid, axes=range(1, self._n_axes + 1))

    @cached_property
    def _filters(self):
        return self.geometry.filters(self.components)

    def _maps(self, Z):
        """Codes as maps with filters last, of shape (n, *map_shape, K)."""
        shape = self.geometry.two_axes(self.geometry.map_shape)
        return Z.reshape(len(Z), self.n_weights, *shape).transpose(0, 2, 3, 1)

    @property
    def _by_spectra(self):
        return math.prod(self.geometry.filter_shape) > _MANY_PIXELS

    def _synthesize(self, Z):
        if self._by_spectra:
            return np.array([self._spectral_sum(z) for z in Z])
        images = synthesize_filters(self._maps(Z), self._filters)
        return self.geometry.cropped(images)

    def _correlate(self, X):
        if self._by_spectra:
            return np.array([self._spectral_products(x) for x in X])
        maps = correlate_filters(self.geometry.padded(X), self._filters)
        return maps.transpose(0, 3, 1, 2).reshape(len(X), -1)

    def _spectral_sum(self, z):
        geometry, axes = self.geometry, tuple(range(1, self._n_axes + 1))
        maps = z.reshape(self.n_weights, *geometry.map_shape)
        spectrum = fft.rfftn(maps, s=self._grid, axes=axes)
        product = np.einsum("k...,k...c->...c", spectrum, self._spectra)
        image = fft.irfftn(product, s=self._grid, axes=range(self._n_axes))
        return image[self._within(geometry.image_shape)].ravel()

    def _spectral_products(self, x):
        geometry, axes = self.geometry, range(self._n_axes)
        image = np.zeros((*self._grid, geometry.n_channels))
        image[self._within(geometry.image_shape)] = x.reshape(*geometry.image_shape, -1)
        spectrum = fft.rfftn(image, axes=axes)
        products = np.einsum("...c,k...c->k...", spectrum, self._spectra.conj())
        maps = fft.irfftn(products, s=self._grid, axes=range(1, self._n_axes + 1))
        return maps[(slice(None), *(slice(n) for n in geometry.map_shape))].ravel()

    def _within(self, shape):
        """Where an image lies on the grid."""
        margins = self.geometry.margins
        return tuple(slice(m, m + n) for m, n in zip(margins, shape, strict=True))
