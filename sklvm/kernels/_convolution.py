"""Sparse codes of an image by filters at places: what the loops need, laid out for them."""

from typing import NamedTuple

import numpy as np

from sklvm.kernels._arrays import check_matching_array
from sklvm.kernels._convolution_loops import FilterLoops, interleave_loop, scan_loop
from sklvm.kernels._row_blocks import run_in_row_blocks
from sklvm.kernels._threads import threads_for

__all__ = ["FilterAtoms", "FilterBank", "FilteredImage"]

_LANES = 8
_SCAN_FILTERS = 32
_SCAN_PIXELS = 4
# Rows of places that a thread scans at a time, and about as many places where rows are long.
_BAND_ROWS = 4
_LONG_ROW = 4096
# Finds of a band for which there is room at first.
_CAPACITY = 512
# Tiles are at least this wide, and so many of one colour take turns, atom by atom: an atom of one
# need not wait for what the last atom of another did to the residual.
_TILE = 24
_TILES_A_GROUP = 4
# Atoms that are worth another thread: all wait for one another four times a sweep.
_ATOMS_A_THREAD = 20_000


class FilterBank:
    """Filters and the bounds of their codes.

    Parameters
    ----------
    filters : ndarray of float64, shape (K, height, width, channels)
    bound : ndarray of float64, shape (K,)
        Positive: α times the weight of each filter.
    positive : bool, default=False
        Whether codes are non-negative.
    """

    def __init__(self, filters, bound, *, positive=False):
        filters = np.ascontiguousarray(filters, dtype=np.float64)
        n_filters, self.height, self.width, self.channels = filters.shape
        self.filters, self.positive = filters, positive
        self.bound = check_matching_array(
            np.ascontiguousarray(bound), "bound", (n_filters,), np.dtype(np.float64)
        )
        row_taps = self.width * self.channels
        self.row_taps = row_taps
        rows = filters.reshape(n_filters, self.height, row_taps)
        padded = -(-row_taps // _LANES) * _LANES
        self.blocks = np.zeros((n_filters, self.height, padded))
        self.blocks[:, :, :row_taps] = rows
        self.squared_norms = np.einsum("kij,kij->k", rows, rows)
        n_padded = -(-n_filters // _LANES) * _LANES
        by_tap = np.zeros((self.height * row_taps, n_padded))
        by_tap[:, :n_filters] = rows.reshape(n_filters, -1).T
        parts = [
            by_tap[:, k : k + _SCAN_FILTERS].ravel() for k in range(0, n_padded, _SCAN_FILTERS)
        ]
        self.taps = np.concatenate(parts)
        self.inverse_bound = np.zeros(n_padded)
        self.inverse_bound[:n_filters] = 1 / self.bound

    @property
    def n_filters(self):
        return len(self.filters)


class FilterAtoms(NamedTuple):
    """Filters at places, in the order in which they are worked on."""

    keys: np.ndarray
    row: np.ndarray
    column: np.ndarray
    filter: np.ndarray
    group_ends: np.ndarray
    colour_ends: np.ndarray

    @property
    def places(self):
        return self.row, self.column, self.filter

    @property
    def turns(self):
        return self.group_ends, self.colour_ends


class FilteredImage:
    """An image, what is left of it, and the loops over filters at its places.

    Places are those at which a filter lies within the image, or with `circular` all of them. The
    key of filter k at place (i, j) is ``(i * map_width + j) * K + k``.

    Parameters
    ----------
    bank : FilterBank
    image : ndarray of float64, shape (height, width, channels)
        Finite; what the mask leaves out is not looked at.
    mask : ndarray of bool of the same shape, default=None
        Which values are known; None: all.
    circular : bool, default=False
    n_threads : int or None, default=None
        See :func:`effective_n_threads`; the results are the same bits.

    Attributes
    ----------
    residual : ndarray of shape (height, width, channels)
        A view: at first the image, zero where that is not known.
    map_shape : tuple of int
    """

    def __init__(self, bank, image, mask=None, *, circular=False, n_threads=None):
        rows, columns, channels = image.shape
        self.bank, self.circular, self.shape = bank, circular, image.shape
        self._stride = columns * channels + max(_LANES, _SCAN_PIXELS * channels)
        self._residual = self._padded(image if mask is None else np.where(mask, image, 0))
        self._mask = None if mask is None else self._padded(mask)
        self.residual = self._inner(self._residual)
        self.map_shape = (
            (rows, columns) if circular else (rows - bank.height + 1, columns - bank.width + 1)
        )
        n_products = self.map_shape[0] * self.map_shape[1] * bank.n_filters * bank.row_taps
        self.n_threads = threads_for(n_products, n_threads)
        self._room = np.empty((self.n_threads, 2 * bank.blocks[0].size + _LANES))
        self._loops = self._loops_on(self._residual)
        self._scratch = self._scratch_loops = None
        self._tiles = _Tiles(rows, columns, bank)

    def _padded(self, image):
        padded = np.zeros((self.shape[0] + 1, self._stride))
        self._inner(padded)[...] = image
        return padded

    def _inner(self, padded):
        rows, columns, channels = self.shape
        return padded[:rows, : columns * channels].reshape(self.shape)

    def _loops_on(self, padded):
        bank, (rows, columns, channels) = self.bank, self.shape
        return FilterLoops(
            padded,
            self._mask,
            rows,
            columns,
            channels,
            bank.blocks,
            bank.width,
            bank.bound,
            bank.positive,
            self.circular,
        )

    def scan(self, threshold):
        """Where the residual's correlations ⟨r, d_k⟩ / bound_k exceed a threshold in absolute value
        (with non-negative codes, exceed it).

        Parameters
        ----------
        threshold : float

        Returns
        -------
        keys : ndarray of int64, shape (n_found,)
            Increasing.
        values : ndarray of shape (n_found,)
        largest : float
            Over all places, whether above the threshold or not.
        """
        image, stride, width = self._residual, self._stride, self.map_shape[1]
        if self.circular:
            image = self._wrapped()
            stride = image.shape[1]
        flat, n_rows = image.reshape(-1), self.map_shape[0]
        if n_rows > 1 or width <= _LONG_ROW:
            parts = [self._scan_rows(flat, stride, width, 0, n_rows, threshold)]
        else:
            # One long row, cut into rows that begin where the last ended.
            n_full, channels = width // _LONG_ROW, self.shape[2]
            parts = [self._scan_rows(flat, _LONG_ROW * channels, _LONG_ROW, 0, n_full, threshold)]
            if rest := width % _LONG_ROW:
                done = n_full * _LONG_ROW
                parts.append(
                    self._scan_rows(flat[done * channels :], stride, rest, done, 1, threshold)
                )
        keys, values = (np.concatenate(arrays) for arrays in list(zip(*parts, strict=True))[:2])
        order = np.argsort(keys)
        return keys[order], values[order], max(part[2] for part in parts)

    def _scan_rows(self, flat, stride, columns, first_place, n_rows, threshold):
        bank, found = self.bank, []

        def run(rows):
            n_bands = -(-(rows.stop - rows.start) // _BAND_ROWS)
            capacity = _CAPACITY
            while True:
                finds = np.empty((n_bands, capacity), dtype=np.int64), np.empty((n_bands, capacity))
                counts, largest = np.empty(n_bands, dtype=np.int64), np.empty(n_bands)
                scan_loop(
                    flat[rows.start * stride :],
                    stride,
                    columns,
                    first_place + rows.start * columns,
                    bank.channels,
                    bank.height,
                    bank.row_taps,
                    bank.n_filters,
                    bank.taps,
                    bank.inverse_bound,
                    bank.positive,
                    threshold,
                    rows.stop - rows.start,
                    _BAND_ROWS,
                    *finds,
                    counts,
                    largest,
                    self.n_threads,
                )
                if counts.max() <= capacity:
                    break
                capacity = int(counts.max())
            kept = np.arange(capacity) < counts[:, np.newaxis]
            found.append((finds[0][kept], finds[1][kept], largest.max()))

        run_in_row_blocks(run, n_rows, self.n_threads)
        keys, values, largest = zip(*found, strict=True)
        return np.concatenate(keys), np.concatenate(values), max(largest)

    def _wrapped(self):
        """The residual with its borders repeated, so that each place lies within."""
        rows, columns, channels = self.shape
        wider, taller = self.bank.width - 1, self.bank.height - 1
        out = np.zeros((rows + taller + 1, self._stride + wider * channels))
        out[:rows, : columns * channels] = self._residual[:rows, : columns * channels]
        out[:rows, columns * channels : (columns + wider) * channels] = self._residual[
            :rows, : wider * channels
        ]
        out[rows : rows + taller] = out[:taller]
        return out

    def atoms(self, keys):
        """The atoms of these keys, in the order in which they are worked on.

        Parameters
        ----------
        keys : ndarray of int64, shape (n_atoms,)
            Increasing: equal sets of atoms have one order.

        Returns
        -------
        atoms : FilterAtoms

        Raises
        ------
        ValueError
            If they do not increase, or are not those of filters at places.
        """
        n_keys = self.map_shape[0] * self.map_shape[1] * self.bank.n_filters
        if len(keys) and not (0 <= keys[0] and keys[-1] < n_keys and (np.diff(keys) > 0).all()):
            raise ValueError(f"keys must be increasing, from 0 to below {n_keys}.")
        places, filters = np.divmod(keys, self.bank.n_filters)
        row, column = np.divmod(places, self.map_shape[1])
        order, turns = self._tiles.order(row, column)
        return FilterAtoms(
            keys[order],
            *(array[order].astype(np.intc) for array in (row, column, filters)),
            *turns,
        )

    def curvatures(self, atoms):
        """‖m ⊙ d‖² of each atom."""
        if self._mask is None:
            return self.bank.squared_norms[atoms.filter]
        out = np.empty(len(atoms.keys))
        self._loops.products(*atoms.places, out, self._room_for(atoms), True)
        return out

    def products(self, atoms):
        """⟨r, d⟩ of each atom."""
        out = np.empty(len(atoms.keys))
        self._loops.products(*atoms.places, out, self._room_for(atoms), False)
        return out

    def subtract(self, atoms, factors):
        """r −= Σ factors_n m ⊙ d_n."""
        self._loops.subtract(*atoms.places, factors, *atoms.turns, self._room_for(atoms))

    def normal(self, atoms, factors):
        """⟨Σ factors_n m ⊙ d_n, d⟩ of each atom."""
        if self._scratch is None:
            self._scratch = np.empty_like(self._residual)
            self._scratch_loops = self._loops_on(self._scratch)
        self._scratch[...] = 0
        out = np.empty(len(atoms.keys))
        room = self._room_for(atoms)
        self._scratch_loops.subtract(*atoms.places, -factors, *atoms.turns, room)
        self._scratch_loops.products(*atoms.places, out, room, False)
        return out

    def descend(self, atoms, codes, curvatures, inverses, n_sweeps):
        """Sweeps in which each atom in turn goes to its minimum, in place.

        Parameters
        ----------
        atoms : FilterAtoms
        codes : ndarray of float64, shape (n_atoms,)
            Overwritten; the residual is kept with them.
        curvatures, inverses : ndarray of float64, shape (n_atoms,)
            ‖m ⊙ d‖², and one over that and the ridge.
        n_sweeps : int
        """
        done, size = 0, max(1, int(2e6) // max(len(codes), 1))
        room = self._room_for(atoms)
        while done < n_sweeps:
            size = min(size, n_sweeps - done)
            self._loops.descend(
                *atoms.places, codes, curvatures, inverses, *atoms.turns, size, room
            )
            done += size

    def _room_for(self, atoms):
        """Room to work in, a row for each thread that these atoms are worth."""
        return self._room[: 1 + len(atoms.keys) // _ATOMS_A_THREAD]


class _Tiles:
    """A division of the places into tiles, and of those into colours.

    The number of tiles along an axis is even or 1: tiles of one colour are never neighbours, not
    even around the borders of a circular image, and each is at least as wide as an atom.
    """

    def __init__(self, rows, columns, bank):
        width = -(-bank.blocks.shape[2] // bank.channels)
        self._counts = _n_tiles(rows, bank.height), _n_tiles(columns, width)
        self._sizes = rows // self._counts[0], columns // self._counts[1]
        down, across = self._counts
        groups, ends = [], []
        for colour in range(4):
            tiles = [
                i * across + j
                for i in range(colour // 2, down, 2)
                for j in range(colour % 2, across, 2)
            ]
            for k in range(0, len(tiles), _TILES_A_GROUP):
                group = tiles[k : k + _TILES_A_GROUP]
                groups.append(group + [-1] * (_TILES_A_GROUP - len(group)))
            ends.append(len(groups))
        self._groups, self._colour_ends = np.array(groups, dtype=np.intc), np.array(ends)

    def order(self, row, column):
        down, across = self._counts
        tiles = np.minimum(row // self._sizes[0], down - 1) * across
        tiles += np.minimum(column // self._sizes[1], across - 1)
        order = np.empty(len(row), dtype=np.int64)
        group_ends = np.empty(len(self._groups), dtype=np.int64)
        n_tiles = down * across
        interleave_loop(
            tiles.astype(np.intc),
            self._groups,
            n_tiles,
            order,
            group_ends,
            np.zeros(n_tiles + 1, dtype=np.int64),
            np.empty(len(row), dtype=np.int64),
        )
        return order, (group_ends, self._colour_ends)


def _n_tiles(length, extent):
    n = length // max(extent, _TILE)
    return n - n % 2 if n >= 2 else 1
