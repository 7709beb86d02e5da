"""Images of another size."""

from numbers import Integral

import numpy as np


def resize_images(images, image_shape):
    """Resize a stack of images; shrinking averages, enlarging interpolates linearly.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width)
        The images.

    image_shape : int or tuple of 2 int
        New height and width.

    Returns
    -------
    resized : ndarray of shape (n_images, new_height, new_width)
        In the images' own precision, and within their range.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.datasets import resize_images
    >>> resize_images(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    images = np.asarray(images)
    if images.ndim != 3:
        raise ValueError(f"images must have shape (n_images, height, width), got {images.shape}")
    height, width = check_image_shape(image_shape, "image_shape")
    rows = _resizing_matrix(images.shape[1], height).astype(images.dtype)
    columns = _resizing_matrix(images.shape[2], width).astype(images.dtype)
    return rows @ images @ columns.T


def downscale_by_averaging(image, factor):
    """Average ``factor`` × ``factor`` blocks; rows and columns that fill no block are cut off.

    Averaging keeps grey levels in [0, 1] and, with factors of 2 to 4, blurs away the 8×8 block
    grid that JPEG compression leaves.
    """
    if factor == 1:
        return image
    height, width = (side // factor for side in image.shape)
    blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def check_image_shape(size, name):
    """Height and width from one whole number or two, each at least 1."""
    sides = (size, size) if isinstance(size, Integral) else size
    valid = (
        isinstance(sides, (tuple, list))
        and len(sides) == 2
        and all(isinstance(side, Integral) and side >= 1 for side in sides)
    )
    if not valid:
        raise ValueError(f"{name} must be a whole number of at least 1, or two, got {size!r}")
    return int(sides[0]), int(sides[1])


def _resizing_matrix(n_old, n_new):
    """Rows sum to one: averages over new cells when shrinking, linear weights when enlarging."""
    scale = n_old / n_new
    if n_new <= n_old:
        old_edges, new_edges = np.arange(n_old + 1), np.arange(n_new + 1) * scale
        overlap = np.minimum(new_edges[1:, None], old_edges[1:]) - np.maximum(
            new_edges[:-1, None], old_edges[:-1]
        )
        return np.maximum(overlap, 0) / scale
    centres = (np.arange(n_new) + 0.5) * scale - 0.5
    hat = 1 - np.abs(np.clip(centres, 0, n_old - 1)[:, None] - np.arange(n_old))
    return np.maximum(hat, 0)
