"""The layers that a user gives, as a chain of dictionaries."""

import numpy as np
from sklearn.utils.validation import check_array

from sklvm.base import FLOATS
from sklvm.sparse_coding.dictionaries import (
    ComposedDictionary,
    ConvolutionalDictionary,
    ConvolutionGeometry,
    DenseDictionary,
    OnMaps,
)

__all__ = ["filters_of", "geometry_of", "layer_chain", "make_geometry", "one_per_layer"]


def one_per_layer(value, n_layers, name, *, positive=False):
    """A number for each layer, of one for all or a sequence.

    Raises
    ------
    ValueError
        For another number of them, and for negative ones (or zero, if `positive`).
    """
    values = np.asarray(value, dtype=np.float64)
    if values.ndim == 0:
        values = np.full(n_layers, float(values))
    if values.shape != (n_layers,):
        raise ValueError(
            f"{name} must be one number or one for each of the {n_layers} layers, got {value!r}."
        )
    if not np.isfinite(values).all() or (values < 0).any() or (positive and (values == 0).any()):
        least = "positive" if positive else "non-negative"
        raise ValueError(f"{name} must be {least} and finite on every layer, got {value!r}.")
    return values


def make_geometry(image_shape, n_channels, filter_shape, boundary, layer):
    """Where filters of a layer lie on the maps below, or on images.

    Raises
    ------
    ValueError
        Where they are larger than those.
    """
    if any(width > n for width, n in zip(filter_shape, image_shape, strict=True)):
        on = "the images" if layer == 0 else f"the maps of layer {layer}"
        raise ValueError(
            f"The filters of layer {layer + 1} have shape {tuple(filter_shape)}, and do not fit "
            f"into {on}, of shape {tuple(image_shape)}."
        )
    return ConvolutionGeometry(tuple(image_shape), n_channels, tuple(filter_shape), boundary)


def geometry_of(layer):
    """The geometry of a dictionary of a chain, or None where it is dense."""
    return getattr(getattr(layer, "dictionary", layer), "geometry", None)


def filters_of(layer):
    """The filters of a layer of a chain, of shape (K, height, width, channels)."""
    dictionary = getattr(layer, "dictionary", layer)
    return dictionary.geometry.filters(dictionary.components)


def layer_chain(layers, image_shape, n_channels, boundary, n_features, dtype):
    """The chain, and each layer as a matrix of flat filters or atoms.

    Parameters
    ----------
    layers : sequence of array-like or None
        See :class:`LayeredSparseCoder`; None: the identity.
    image_shape : tuple of int or None
        None: all layers are dense.
    n_channels : int
    boundary : str
    n_features : int
        The data's width.
    dtype : dtype
        Of the components.

    Returns
    -------
    chain : ComposedDictionary
    components : list of ndarray

    Raises
    ------
    ValueError
        Where a layer does not fit to the one below.
    """
    if layers is None:
        layers = [np.eye(n_features)]
    if not len(layers):
        raise ValueError("layers must have at least one dictionary.")
    chain, components = [], []
    shape, channels = image_shape, n_channels
    for i, layer in enumerate(layers):
        layer = check_array(
            layer, dtype=FLOATS, allow_nd=True, ensure_2d=False, input_name=f"layers[{i}]"
        )
        below = chain[-1].n_components if chain else n_features
        dictionary = (
            _dense(layer, i, below)
            if layer.ndim == 2
            else _convolutional(layer, i, shape, channels, boundary)
        )
        geometry = geometry_of(dictionary)
        shape, channels = (None, 0) if geometry is None else (geometry.map_shape, len(layer))
        chain.append(dictionary)
        components.append(layer.reshape(len(layer), -1).astype(dtype, copy=False))
    return ComposedDictionary(chain), components


def _dense(layer, i, below):
    if layer.shape[1] != below:
        what = "X's number of features" if i == 0 else f"the number of components of layer {i}"
        raise ValueError(
            f"The atoms of layers[{i}] must have {what}, {below}, as their length, got shape "
            f"{layer.shape}."
        )
    return DenseDictionary(layer)


def _convolutional(layer, i, shape, channels, boundary):
    if shape is None:
        why = "image_shape is None" if i == 0 else "the layer below has no maps"
        raise ValueError(f"layers[{i}] of shape {layer.shape} are filters, but {why}.")
    n_axes = len(shape)
    if layer.ndim == n_axes + 1 and channels == 1:
        layer = layer[..., np.newaxis]
    if layer.ndim != n_axes + 2 or layer.shape[-1] != channels:
        lengths = "height, width" if n_axes == 2 else "length"
        raise ValueError(
            f"layers[{i}] must be filters of shape (n_components, {lengths}, {channels}), got "
            f"{layer.shape}."
        )
    geometry = make_geometry(shape, channels, layer.shape[1:-1], boundary, i)
    dictionary = ConvolutionalDictionary(layer.reshape(len(layer), -1), geometry)
    return dictionary if i == 0 else OnMaps(dictionary)
