"""What filters need to know of images and their convolutional codes."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import fft

from sklvm.kernels import add_map_products
from sklvm.statistics._filter_step import FilterStep

__all__ = ["ConvolutionalStatistics"]


@dataclass(frozen=True)
class ConvolutionalStatistics:
    """Sufficient statistics of Σᵢ wᵢ ½‖xᵢ − Σ_k d_k ∗ z_ik‖² as a function of the filters d.

    ::

        A_kl[δ] = Σᵢ wᵢ Σ_p z_ik(p) z_il(p + δ),    B_k[a] = Σᵢ wᵢ Σ_p z_ik(p) xᵢ(p + a)

    Their size depends on the filters alone, not on the number of images or pixels. The sum is a
    constant − ⟨B, d⟩ + ½ Σ_kl ⟨A_kl, R_kl⟩ with R_kl[δ] = Σ_a d_k(a) d_l(a − δ).

    Parameters
    ----------
    weight : float
        Σᵢ wᵢ; the number of images where there are no weights.
    map_scatter : ndarray of shape (K, K, 2 * height - 1, 2 * width - 1)
        A; the index of δ is δ + filter_shape − 1.
    map_data : ndarray of shape (K, height, width, channels)
        B.
    moves : ndarray of int, shape (K,), default=None
        How often each filter was moved within its frame before these codes; None: never. Codes
        before and after a move have different places, so that statistics of a filter's later codes
        replace those of earlier ones where the two merge.

    References
    ----------
    Mairal, Bach, Ponce and Sapiro (2010), for statistics that merge. Grosse, Raina, Kwong and Ng
    (2007), "Shift-invariant sparse coding for audio classification", for the filters' problem.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.statistics import ConvolutionalStatistics
    >>> x = np.array([0.0, 0.6, 1.6, 0.0, 0.0]).reshape(1, 5, 1)
    >>> places = np.array([0]), np.array([1]), np.array([0])
    >>> coded = [(x, places, np.array([2.0]), 1.0)]
    >>> statistics = ConvolutionalStatistics.collect(coded, (1, 1, 2, 1))
    >>> statistics.solve(np.ones((1, 1, 2, 1))).ravel()
    array([0.3, 0.8])
    """

    weight: float
    map_scatter: np.ndarray
    map_data: np.ndarray
    moves: np.ndarray = None

    def __post_init__(self):
        if self.moves is None:
            object.__setattr__(self, "moves", np.zeros(len(self.map_data), dtype=np.int64))

    @classmethod
    def empty(cls, filters_shape):
        """Statistics of no images: the neutral element of ``merge``."""
        n_filters, height, width, _ = filters_shape
        scatter = np.zeros((n_filters, n_filters, 2 * height - 1, 2 * width - 1))
        return cls(0.0, scatter, np.zeros(filters_shape))

    @classmethod
    def collect(cls, coded, filters_shape, *, circular=False, moves=None):
        """Statistics of images and their codes.

        Parameters
        ----------
        coded : iterable of tuple (image, places, codes, weight)
            For each image an array of float64 of shape (rows, columns, channels), the row, column
            and filter of each code in lexicographic order, an array of the codes, and a weight.
            Images have no missing values, and have the margins that filters reach into. What is
            not known counts as what the codes say of it at the present filters: the objective of
            the completed image is nowhere below that of the known values, and equal at those
            filters, so that to lower the one lowers the other.
        filters_shape : tuple of int
            (K, height, width, channels)
        circular : bool, default=False
            Whether filters wrap around the borders of images.
        moves : ndarray of int, shape (K,), default=None
            How often each filter was moved so far.

        Returns
        -------
        statistics : ConvolutionalStatistics
        """
        statistics, total = cls.empty(filters_shape), 0.0
        scatter, data = statistics.map_scatter, statistics.map_data
        for image, places, codes, weight in coded:
            image = np.asarray(image, dtype=np.float64)
            add_map_products(places, codes, weight, image, scatter, data, circular=circular)
            total += float(weight)
        if moves is not None:
            statistics = replace(statistics, moves=moves)
        return replace(statistics, weight=total)

    def merge(self, other):
        """Statistics of the images of both, as new statistics."""
        moves = np.maximum(self.moves, other.moves)
        some, others = (each.without(np.flatnonzero(each.moves < moves)) for each in (self, other))
        return ConvolutionalStatistics(
            some.weight + others.weight,
            some.map_scatter + others.map_scatter,
            some.map_data + others.map_data,
            moves,
        )

    def scale(self, factor):
        """Statistics of the same images at `factor` times their weight."""
        return ConvolutionalStatistics(
            factor * self.weight, factor * self.map_scatter, factor * self.map_data, self.moves
        )

    def neutral(self):
        return self.empty(self.map_data.shape)

    def without(self, filters):
        """Statistics in which no image has used these filters."""
        if not len(filters):
            return self
        scatter, data = self.map_scatter.copy(), self.map_data.copy()
        scatter[filters], scatter[:, filters], data[filters] = 0, 0, 0
        return replace(self, map_scatter=scatter, map_data=data)

    @property
    def usage(self):
        """Σᵢ wᵢ ‖z_ik‖² of each filter."""
        _, height, width, _ = self.map_data.shape
        return np.einsum("kk->k", self.map_scatter[:, :, height - 1, width - 1])

    def fit(self, filters):
        """−⟨B, d⟩ + ½ Σ_kl ⟨A_kl, R_kl⟩: the sum of squares, but for ½ Σᵢ wᵢ‖xᵢ‖²."""
        model = _Interactions(self.map_scatter, filters)
        products = sum(np.vdot(filters[k], model.of(k)) for k in range(len(filters)))
        return float(0.5 * products - np.vdot(self.map_data, filters))

    def solve(self, filters, *, positive=False, max_passes=2, connectivity=None):
        """Filters in the unit ball that fit better, one after the other at its exact minimum.

        Filter k minimises ½⟨d, H d⟩ − ⟨b, d⟩ over ‖d‖ ≤ 1, where H, one for all channels, has
        A_kk[a − a′] at (a, a′), and b is B_k less what the other filters explain. H is no multiple
        of the identity, unlike in a dictionary without convolution.

        Parameters
        ----------
        filters : ndarray of shape (K, height, width, channels)
            Where block coordinate descent starts.
        positive : bool, default=False
            Whether taps are non-negative.
        max_passes : int, default=2
            Passes over the filters.
        connectivity : ndarray of bool, shape (K, channels), default=None
            Channels that each filter has, and starts with at most; None: all. The minimum is then
            that among filters without the others.

        Returns
        -------
        filters : ndarray of float64, shape (K, height, width, channels)
            Never worse ones; filters that no image uses are as they were.
        """
        used = np.flatnonzero(self.usage > 0)
        steps = [FilterStep(self.map_scatter[k, k], positive) for k in used]
        model = _Interactions(self.map_scatter, filters)
        for _ in range(max_passes):
            for k, step in zip(used, steps, strict=True):
                before = model.filters[k]
                target = self.map_data[k] - model.of(k) + step.curve(before)
                if connectivity is not None:
                    # H is the same for each channel and couples none: the minimum without some
                    # channels is that of a b that is zero there.
                    target = target * connectivity[k]
                model.change(k, step.solve(target, before))
        return model.filters


class _Interactions:
    """Σ_l Σ_δ A_kl[δ] d_l(a − δ): by products of spectra, on a grid where nothing wraps around."""

    def __init__(self, map_scatter, filters):
        self.filters = np.array(filters, dtype=np.float64)
        _, height, width, _ = filters.shape
        self._grid = [fft.next_fast_len(3 * n - 2, real=True) for n in (height, width)]
        self._scatter = fft.rfftn(map_scatter, s=self._grid, axes=(2, 3))
        self._spectra = fft.rfftn(self.filters, s=self._grid, axes=(1, 2))
        self._at = np.s_[height - 1 : 2 * height - 1, width - 1 : 2 * width - 1]

    def of(self, k):
        product = np.einsum("l...,l...c->...c", self._scatter[k], self._spectra)
        return fft.irfftn(product, s=self._grid, axes=(0, 1))[self._at]

    def change(self, k, values):
        self.filters[k] = values
        self._spectra[k] = fft.rfftn(values, s=self._grid, axes=(0, 1))
