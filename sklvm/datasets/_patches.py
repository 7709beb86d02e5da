"""Patches: small rectangles cut from images, one a row."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_scalar

from sklvm.datasets._resizing import check_image_shape


def sample_patches(images, patch_size, n_patches, *, random_state=None):
    """Cut random patches from images.

    Every position of every image at which a patch fits is equally likely, so that large images
    give more patches than small ones; a position may be drawn twice.

    Parameters
    ----------
    images : dict of str to ndarray, or sequence of ndarray, each of shape (height, width)
        Grey levels in [0, 1].

    patch_size : int or tuple of 2 int
        Height and width of a patch; one number for squares.

    n_patches : int
        How many patches to cut.

    random_state : int, RandomState instance or None, default=None
        Chooses the positions.

    Returns
    -------
    patches : ndarray of shape (n_patches, height * width), float32
        One flattened patch a row.

    Raises
    ------
    ValueError
        If there is no image, an image is not two-dimensional or leaves [0, 1], or one is smaller
        than the patch; the images are named.

    Examples
    --------
    >>> from sklvm.datasets import load_photographs, sample_patches
    >>> patches = sample_patches(load_photographs(), (8, 8), 1000, random_state=0)
    >>> patches.shape, patches.dtype
    ((1000, 64), dtype('float32'))
    """
    height, width = check_image_shape(patch_size, "patch_size")
    check_scalar(n_patches, "n_patches", Integral, min_val=1)
    random_state = check_random_state(random_state)
    images = _check_images(images, height, width)

    n_rows = np.array([image.shape[0] - height + 1 for image in images])
    n_columns = np.array([image.shape[1] - width + 1 for image in images])
    # Positions of all images in one line: image i owns [ends[i-1], ends[i]).
    ends = np.cumsum(n_rows * n_columns)
    positions = random_state.randint(ends[-1], size=n_patches, dtype=np.int64)
    image_of = np.searchsorted(ends, positions, side="right")

    patches = np.empty((n_patches, height, width), dtype=np.float32)
    for i in np.unique(image_of):
        chosen = np.flatnonzero(image_of == i)
        row, column = np.divmod(positions[chosen] - (ends[i - 1] if i else 0), n_columns[i])
        windows = np.lib.stride_tricks.sliding_window_view(images[i], (height, width))
        patches[chosen] = windows[row, column]
    return patches.reshape(n_patches, height * width)


def contrast_normalize(patches, *, epsilon=1.5e-4):
    """Subtract each patch's mean and divide by its contrast.

    A patch x turns into (x − m) / √(v + ε) with m and v the mean and variance of its own pixels,
    as in Coates, Lee and Ng, "An analysis of single-layer networks in unsupervised feature
    learning" (2011), section 3.2.1, whose ε = 10 for levels up to 255 is 1.5e-4 here.

    Normalised patches lie in the hyperplane of zero mean, on which a density in all pixels is not
    defined; add a little noise, or drop one direction, before fitting one.

    Parameters
    ----------
    patches : array-like of shape (n_patches, n_pixels)
        Patches with levels in [0, 1].

    epsilon : float, default=1.5e-4
        Variance, above 0, well below which a patch counts as flat and its noise is left small.

    Returns
    -------
    normalized : ndarray of shape (n_patches, n_pixels)
        In the patches' own precision.

    Examples
    --------
    >>> from sklvm.datasets import contrast_normalize
    >>> contrast_normalize([[0.0, 0.5, 1.0], [0.5, 0.5, 0.5]]).round(2)
    array([[-1.22,  0.  ,  1.22],
           [ 0.  ,  0.  ,  0.  ]])
    """
    check_scalar(epsilon, "epsilon", float, min_val=0, max_val=np.inf, include_boundaries="neither")
    patches = check_array(patches, dtype=[np.float64, np.float32], input_name="patches")
    centred = patches - patches.mean(axis=1, keepdims=True)
    variance = np.mean(centred * centred, axis=1, keepdims=True)
    return centred / np.sqrt(variance + patches.dtype.type(epsilon))


def _check_images(images, height, width):
    names = list(images) if isinstance(images, Mapping) else None
    images = [np.asarray(i) for i in (images.values() if names is not None else images)]
    names = names or [f"images[{i}]" for i in range(len(images))]
    if not images:
        raise ValueError("images is empty: there is nothing to cut patches from")
    for name, image in zip(names, images, strict=True):
        if image.ndim != 2 or image.size == 0:
            raise ValueError(f"image {name!r} must be grey, (height, width), got {image.shape}")
        if not (image.min() >= 0 and image.max() <= 1):
            raise ValueError(
                f"image {name!r} must have levels in [0, 1], got [{image.min()}, {image.max()}]"
            )
    small = [
        f"{name!r} ({image.shape[0]}×{image.shape[1]})"
        for name, image in zip(names, images, strict=True)
        if image.shape[0] < height or image.shape[1] < width
    ]
    if small:
        raise ValueError(f"patches of {height}×{width} do not fit into {', '.join(small)}")
    return images
