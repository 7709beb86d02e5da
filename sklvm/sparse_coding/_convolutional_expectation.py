"""Learning of filters as expectation and maximisation: codes, and the filters that suit them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sklvm.kernels import FilterBank, FilteredImage
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._image_coding import encode_images
from sklvm.sparse_coding._image_patches import unit_filters, worst_patches
from sklvm.sparse_coding.dictionaries import ConvolutionGeometry
from sklvm.sparse_coding.solvers import CodeResults
from sklvm.statistics import ConvolutionalStatistics, centring_move, moved

__all__ = ["ConvolutionalExpectation", "Filters"]

# Usage of a filter, relative to the mean, below which it is dead.
_DEAD = 1e-6
_PASSES = 2


class Filters(NamedTuple):
    """The parameters θ.

    Attributes
    ----------
    taps : ndarray of float64, shape (K, height, width, channels)
    offsets : ndarray of int, shape (K, 2)
        How far each filter was moved within its frame, all in all.
    moves : ndarray of int, shape (K,)
        How often.
    """

    taps: np.ndarray
    offsets: np.ndarray
    moves: np.ndarray

    @classmethod
    def start(cls, taps):
        n_filters = len(taps)
        zeros = np.zeros((n_filters, 2), dtype=np.int64), np.zeros(n_filters, dtype=np.int64)
        return cls(np.asarray(taps, dtype=np.float64), *zeros)

    @property
    def components(self):
        return self.taps.reshape(len(self.taps), -1)

    def move(self, k, by):
        """A filter elsewhere in its frame."""
        taps, offsets, moves = (array.copy() for array in self)
        taps[k] = moved(taps[k], by)
        offsets[k] += by
        moves[k] += 1
        return Filters(taps, offsets, moves)


class CodedImages(NamedTuple):
    """Codes of images, and where the filters were in their frames."""

    results: CodeResults
    offsets: np.ndarray


@dataclass(frozen=True)
class ConvolutionalExpectation:
    """Codes of images, and an update of the filters.

    A filter may come to lie at the edge of its frame, a part of it cut off: a poor local minimum.
    Then it is moved to the middle, and the places of its codes the other way.

    Attributes
    ----------
    n_components : int
        K.
    geometry : ConvolutionGeometry
    coding : CodingOptions
    positive : bool
        Whether taps are to be non-negative.
    dtype : dtype
        Of the data.
    connectivity : ndarray of bool, shape (n_components, n_channels), default=None
        Which channels each filter has; its taps on others are zero. None: all.
    centring : bool, default=True
        Whether filters are moved. Codes that leave the map with a move are lost, which may raise
        the objective of small maps.
    """

    n_components: int
    geometry: ConvolutionGeometry
    coding: CodingOptions
    positive: bool
    dtype: np.dtype
    connectivity: np.ndarray | None = None
    centring: bool = True

    # An image is worth a block of its own, and has places enough to show what is unused.
    min_block_rows = 1
    min_rows_unused = 1

    @property
    def _circular(self):
        return self.geometry.boundary == "circular"

    def expect(self, filters, X, weights, local=None):
        """Objectives of the images, statistics of their codes, and the codes.

        Codes start from those of the last visit, which are those of filters much like these: no
        solver ends at worse ones than it started from.
        """
        start = None if local is None else self._moved_codes(local, filters.offsets)
        # A worker that was asked for has a thread.
        n_threads = None if self.coding.n_jobs is None else 1
        results = encode_images(
            filters.components, self.geometry, self.coding, X, start, n_threads=n_threads
        )
        bank = FilterBank(filters.taps, np.ones(len(filters.taps)))
        coded = (
            (*self._completed(bank, row, results.codes[[i]]), weight)
            for i, (row, weight) in enumerate(zip(X, weights, strict=True))
        )
        statistics = ConvolutionalStatistics.collect(
            coded, filters.taps.shape, circular=self._circular, moves=filters.moves
        )
        return results.objectives, statistics, CodedImages(results, filters.offsets)

    def _completed(self, bank, row, codes):
        """An image with what is not known as its codes have it; their places, and their values."""
        image, known = self.geometry.image(row.astype(np.float64))
        keys = self.geometry.keys(codes.indices.astype(np.int64), bank.n_filters)
        order = np.argsort(keys)
        keys, values = keys[order], codes.data[order]
        if known is not None:
            sums = FilteredImage(bank, np.zeros_like(image), circular=self._circular, n_threads=1)
            atoms = sums.atoms(keys)
            sums.subtract(atoms, -values[np.searchsorted(keys, atoms.keys)])
            image = np.where(known, image, sums.residual)
        places, filters = np.divmod(keys, bank.n_filters)
        width = self.geometry.two_axes(self.geometry.map_shape)[1]
        return image, (*np.divmod(places, width), filters), values

    def maximize(self, statistics, filters):
        """Filters that fit the statistics better, one after the other at its exact minimum.

        A move may take some taps out of the frame. It is made where the filters are better all the
        same than those before.
        """
        taps = statistics.solve(
            filters.taps,
            positive=self.positive,
            max_passes=_PASSES,
            connectivity=self.connectivity,
        )
        solved = filters._replace(taps=taps)
        needed = [(k, centring_move(d)) for k, d in enumerate(taps)]
        needed = [(k, by) for k, by in needed if any(by)]
        if not (needed and self.centring):
            return solved
        allowed = statistics.fit(filters.taps)
        for k, by in needed:
            cut = taps.copy()
            cut[k] = moved(moved(taps[k], by), tuple(-n for n in by))
            if statistics.fit(cut) <= allowed:
                taps, solved = cut, solved.move(k, by)
        return solved

    def _moved_codes(self, local, offsets):
        """Codes at the places that filters which have moved since have now."""
        codes, by = local.results.codes, offsets - local.offsets
        if not by.any():
            return codes
        geometry = self.geometry
        shape = geometry.two_axes(geometry.map_shape)
        codes = codes.tocoo()
        filters, places = np.divmod(codes.coords[1], geometry.n_places)
        at = np.array(np.divmod(places, shape[1])) - by[filters].T
        if self._circular:
            at %= np.array(shape)[:, np.newaxis]
        exists = ((at >= 0) & (at < np.array(shape)[:, np.newaxis])).all(axis=0)
        columns = filters * geometry.n_places + at[0] * shape[1] + at[1]
        entries = codes.coords[0][exists], columns[exists]
        moved_codes = sparse.csr_array((codes.data[exists], entries), shape=codes.shape)
        moved_codes.sort_indices()
        return moved_codes

    def connected(self, taps, rng, which=slice(None)):
        """Unit filters without the channels that they, the filters `which`, are not to have."""
        if self.connectivity is None:
            return taps
        mask = self.connectivity[which][:, np.newaxis, np.newaxis]
        noise = rng.standard_normal(taps.shape)
        empty = ~(taps * mask).any(axis=(1, 2, 3), keepdims=True)
        return unit_filters(np.where(empty, noise, taps) * mask, self.positive, rng)

    def unused(self, statistics):
        """Filters that no code uses."""
        usage = statistics.usage
        return np.flatnonzero(usage <= _DEAD * usage.mean())

    def restart(self, filters, statistics, unused, rows, rng):
        """Filters in the direction of the patches that the others explain worst."""
        results = encode_images(filters.components, self.geometry, self.coding, rows, n_threads=1)
        bank = FilterBank(filters.taps, np.ones(len(filters.taps)))
        residuals = []
        for i, row in enumerate(rows):
            image, known = self.geometry.image(row.astype(np.float64))
            coded = FilteredImage(bank, image, known, circular=self._circular, n_threads=1)
            codes = results.codes[[i]]
            keys = self.geometry.keys(codes.indices.astype(np.int64), bank.n_filters)
            order = np.argsort(keys)
            atoms = coded.atoms(keys[order])
            places = np.searchsorted(keys[order], atoms.keys)
            coded.subtract(atoms, codes.data[order][places])
            residuals.append(coded.residual)
        taps = filters.taps.copy()
        patches = worst_patches(residuals, taps.shape[1:], len(unused))
        taps[unused] = self.connected(unit_filters(patches, self.positive, rng), rng, unused)
        return filters._replace(taps=taps), statistics.without(unused)
