"""Where the filters of an image may lie."""

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["BOUNDARIES", "ConvolutionGeometry"]

BOUNDARIES = ("valid", "full", "circular")


@dataclass(frozen=True)
class ConvolutionGeometry:
    """Shapes of images, filters and maps, and which places a filter has.

    Filter k at place p covers the pixels p, …, p + L − 1 along each axis. Places are those at which
    it lies within the image ("valid"), also those at which some of it does ("full", where place p
    covers the pixels from p − L + 1 on), or all pixels, from which it wraps around ("circular").

    Parameters
    ----------
    image_shape : tuple of int
        One axis or two.
    n_channels : int
    filter_shape : tuple of int
        As many axes.
    boundary : {"valid", "full", "circular"}
    """

    image_shape: tuple
    n_channels: int
    filter_shape: tuple
    boundary: str

    @property
    def n_features(self):
        return math.prod(self.image_shape) * self.n_channels

    @property
    def map_shape(self):
        sign = {"valid": -1, "full": 1, "circular": 0}[self.boundary]
        return tuple(
            n + sign * (width - 1)
            for n, width in zip(self.image_shape, self.filter_shape, strict=True)
        )

    @property
    def n_places(self):
        return math.prod(self.map_shape)

    @property
    def margins(self):
        """Pixels outside the image, on each side of an axis, that places reach."""
        return tuple(width - 1 if self.boundary == "full" else 0 for width in self.filter_shape)

    def image(self, row):
        """A row of data as an image of (height, width, channels), one axis of which may be 1, with
        margins, and which of its values are known: None for all."""
        image = row.reshape(self._with_two_axes(self.image_shape))
        known = ~np.isnan(image)
        if self.boundary == "full":
            pads = [(n, n) for n in self._two_margins] + [(0, 0)]
            image, known = np.pad(image, pads), np.pad(known, pads)
        if known.all():
            return image, None
        return np.where(known, image, 0), known

    def row(self, image):
        """A row of data from an image with margins."""
        for axis, n in enumerate(self._two_margins):
            image = np.take(image, np.arange(n, image.shape[axis] - n), axis=axis)
        return image.reshape(-1)

    def padded(self, X):
        """Rows of data as images of (n, height, width, channels), with all that filters reach."""
        images = X.reshape(len(X), *self._with_two_axes(self.image_shape))
        height, width = (n - 1 for n in self.two_axes(self.filter_shape))
        if self.boundary == "full":
            return np.pad(images, [(0, 0), (height, height), (width, width), (0, 0)])
        if self.boundary == "circular":
            return np.pad(images, [(0, 0), (0, height), (0, width), (0, 0)], mode="wrap")
        return images

    def cropped(self, images):
        """The adjoint of ``padded``: rows of data from images with all that filters reach."""
        rows, columns = self.two_axes(self.image_shape)
        height, width = (n - 1 for n in self.two_axes(self.filter_shape))
        if self.boundary == "full":
            images = images[:, height : height + rows, width : width + columns]
        elif self.boundary == "circular":
            images[:, :height] += images[:, rows:]
            images[:, :, :width] += images[:, :, columns:]
            images = images[:, :rows, :columns]
        return images.reshape(len(images), -1)

    def filters(self, components):
        """Filters of (K, height, width, channels), of components of (K, n_taps)."""
        shape = self._with_two_axes(self.filter_shape)
        return np.asarray(components, dtype=np.float64).reshape(len(components), *shape)

    def columns(self, keys, n_filters):
        """Columns of codes, where filters come first, of keys, where places do."""
        places, filters = np.divmod(keys, n_filters)
        return filters * self.n_places + places

    def keys(self, columns, n_filters):
        """Keys of columns of codes."""
        filters, places = np.divmod(columns, self.n_places)
        return places * n_filters + filters

    @staticmethod
    def two_axes(shape):
        """A shape along one axis or two as rows and columns."""
        return (1, *shape) if len(shape) == 1 else tuple(shape)

    @property
    def _two_margins(self):
        return (0, *self.margins) if len(self.margins) == 1 else self.margins

    def _with_two_axes(self, shape):
        return (*self.two_axes(shape), self.n_channels)
