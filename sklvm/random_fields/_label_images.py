"""Label images as integers, and their shapes."""

from math import prod

import numpy as np

__all__ = ["LabelImages", "check_grid"]


class LabelImages:
    """From labels to 0 … L − 1 and back; −1 stays −1: unlabelled.

    Parameters
    ----------
    classes : ndarray of shape (n_labels,)
    is_flat : bool
        Whether label images are of one pixel and come as a vector.
    """

    def __init__(self, classes, is_flat):
        self.classes, self.is_flat = classes, is_flat

    @classmethod
    def of(cls, y, n_labels):
        """Those of training labels: of `n_labels` integers from 0 on, or of all that there are."""
        y = np.asarray(y)
        known = y[is_known(y)]
        if known.size == 0:
            raise ValueError("y has no labelled pixel: all of them are -1.")
        if n_labels is None:
            classes = np.unique(known)
        else:
            classes = np.arange(n_labels)
            out = ~np.isin(known, classes)
            if np.any(out):
                raise ValueError(
                    f"y must hold labels 0 to n_labels - 1 = {n_labels - 1}, and -1 for unlabelled "
                    f"pixels, got {known[out][0]}."
                )
        return cls(classes, y.ndim == 1)

    def encode(self, y, shape):
        """Labels as integers of `shape` (n, n_sites).

        Raises
        ------
        ValueError
            For another shape, or a label that is none of the classes.
        """
        y = np.asarray(y)
        known = is_known(y).reshape(len(y), -1)
        y = y[:, np.newaxis] if y.ndim == 1 else y
        if y.shape != shape:
            raise ValueError(f"y must have shape {shape}, a label a pixel, got {y.shape}.")
        labels = np.full(shape, -1)
        found = np.searchsorted(self.classes, y[known]).clip(max=len(self.classes) - 1)
        unknown = self.classes[found] != y[known]
        if np.any(unknown):
            raise ValueError(
                f"y has the label {y[known][unknown][0]}, which is none of {self.classes.tolist()}."
            )
        labels[known] = found
        return labels

    def decode(self, labels):
        """The classes of integers (n, n_sites); of shape (n,) where labels came so."""
        y = self.classes[labels]
        return y[:, 0] if self.is_flat else y


def check_grid(image_shape, n_channels, n_columns, n_sites):
    """(image_shape, n_channels) with what is None filled in.

    Parameters
    ----------
    image_shape : tuple of int or None
        None: a line of `n_sites`.
    n_channels : int or None
    n_columns : int
        Of X.
    n_sites : int
        Of y.

    Raises
    ------
    ValueError
        If pixels and channels do not multiply to the columns of X, or y has other pixels.
    """
    shape = (1, n_sites) if image_shape is None else tuple(image_shape)
    if len(shape) != 2 or not all(
        isinstance(side, (int, np.integer)) and side > 0 for side in shape
    ):
        raise ValueError(
            "image_shape must be None or two positive integers (height, width), got "
            f"{image_shape!r}."
        )
    if prod(shape) != n_sites:
        raise ValueError(
            f"image_shape={image_shape} has {prod(shape)} pixels, and the data have {n_sites}."
        )
    channels = n_columns // n_sites if n_channels is None else n_channels
    if channels * n_sites != n_columns:
        raise ValueError(
            f"X has {n_columns} columns: not {'a multiple of ' if n_channels is None else ''}"
            f"{n_sites} pixels{'' if n_channels is None else f' × n_channels={n_channels}'}."
        )
    return shape, channels


def is_known(y):
    """Which pixels are labelled: all but −1; of single labels all."""
    if y.ndim == 1 or y.dtype.kind not in "iuf":
        return np.ones(y.shape, dtype=bool)
    return y != -1
