"""The shape of images that come flat."""

import math

__all__ = ["checked_image_shape"]


def checked_image_shape(image_shape, n_channels, n_features):
    """The parameter `image_shape` or the data's width, as a tuple of one or two lengths.

    Raises
    ------
    ValueError
        If it does not go with the number of features.
    """
    if image_shape is None:
        if n_features % n_channels:
            raise ValueError(f"n_channels={n_channels} does not divide X's {n_features} features.")
        return (n_features // n_channels,)
    shape = tuple(int(n) for n in image_shape)
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise ValueError(f"image_shape must be one or two lengths, got {image_shape!r}.")
    if math.prod(shape) * n_channels != n_features:
        raise ValueError(
            f"image_shape={shape} of n_channels={n_channels} takes {math.prod(shape) * n_channels} "
            f"features, but X has {n_features}."
        )
    return shape
