"""Sizes of the layers that are to be learned."""

from itertools import pairwise
from numbers import Integral

__all__ = ["checked_filter_shapes", "checked_sizes"]

_DEFAULT_WIDTH = 5


def checked_sizes(n_components):
    """Numbers of components, one a layer.

    Raises
    ------
    ValueError
        If there are none, or one is no positive integer.
    """
    sizes = (n_components,) if isinstance(n_components, Integral) else tuple(n_components)
    if not sizes or not all(
        isinstance(n, Integral) and not isinstance(n, bool) and n >= 1 for n in sizes
    ):
        raise ValueError(
            f"n_components must be positive integers, one for each layer, got {n_components!r}."
        )
    return tuple(int(n) for n in sizes)


def checked_filter_shapes(filter_shape, n_layers, image_shape, boundary, width=_DEFAULT_WIDTH):
    """The shape of the filters of each layer, None for dense ones.

    Parameters
    ----------
    filter_shape : int, tuple of int, list or None
        See :class:`LayeredDictionaryLearner`.
    n_layers : int
    image_shape : tuple of int or None
    boundary : str
    width : int
        Of filters along each axis, where nothing else is said.

    Returns
    -------
    shapes : list of (tuple of int or None)

    Raises
    ------
    ValueError
        For another number of them or of axes, filters without images, and filters on dense layers.
    """
    if image_shape is None:
        if filter_shape is not None:
            raise ValueError(
                f"filter_shape={filter_shape!r} needs image_shape: filters lie on images."
            )
        return [None] * n_layers
    if filter_shape is None:
        return _default_shapes(n_layers, image_shape, boundary, width)
    if isinstance(filter_shape, list):
        if len(filter_shape) != n_layers:
            raise ValueError(
                f"filter_shape must be one shape or a list of one for each of the {n_layers} "
                f"layers, got {filter_shape!r}."
            )
        shapes = [None if one is None else _shape(one, image_shape) for one in filter_shape]
    else:
        shapes = [_shape(filter_shape, image_shape)] * n_layers
    for i, (below, above) in enumerate(pairwise(shapes)):
        if below is None and above is not None:
            raise ValueError(
                f"Layer {i + 2} has filters of {above}, but layer {i + 1} is dense and has no maps."
            )
    return shapes


def _shape(one, image_shape):
    n_axes = len(image_shape)
    shape = (one,) * n_axes if isinstance(one, Integral) else tuple(one)
    if len(shape) != n_axes or not all(isinstance(n, Integral) and n >= 1 for n in shape):
        raise ValueError(
            f"filter_shape must have {n_axes} positive lengths, as images of {image_shape} have, "
            f"got {one!r}."
        )
    return tuple(int(n) for n in shape)


def _default_shapes(n_layers, image_shape, boundary, width):
    shapes, below = [], image_shape
    sign = {"valid": -1, "full": 1, "circular": 0}[boundary]
    for _ in range(n_layers):
        shape = tuple(min(width, n) for n in below)
        shapes.append(shape)
        below = tuple(n + sign * (w - 1) for n, w in zip(below, shape, strict=True))
    return shapes
