"""The layers of an adaptive deconvolutional network, and codes of images on all of them."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from sklvm.kernels import effective_n_threads, map_on_threads
from sklvm.sparse_coding.dictionaries import ConvolutionGeometry
from sklvm.sparse_coding.layered._adaptive_inference import infer_maps
from sklvm.sparse_coding.layered._layer_stack import make_geometry
from sklvm.sparse_coding.layered._pooling import pooled_shape
from sklvm.sparse_coding.layered._switched_chain import SwitchedChain

__all__ = ["AdaptivePlan", "adaptive_plans", "checked_pool_sizes", "encode_images", "image_blocks"]

_DEFAULT_WIDTH = 7
# Numbers in the maps of a block of images.
_BLOCK = 2**20


class AdaptivePlan(NamedTuple):
    """What a layer is to be; see ``LayerPlan``.

    Attributes
    ----------
    index, n_components : int
    geometry : ConvolutionGeometry
        Of the filters on the pooled maps below.
    pool_size : tuple of int
        Along rows, columns and maps.
    alpha : float or None
    """

    index: int
    n_components: int
    geometry: ConvolutionGeometry
    pool_size: tuple
    alpha: float | None

    @property
    def shape(self):
        return self.n_components, self.geometry, self.pool_size

    @property
    def maps_shape(self):
        """(rows, columns, K)"""
        return (*self.geometry.two_axes(self.geometry.map_shape), self.n_components)

    @property
    def pooled(self):
        return pooled_shape(self.maps_shape, self.pool_size)


def adaptive_plans(sizes, filter_shapes, pool_sizes, image_shape, n_channels, boundary, alphas):
    """Plans of all layers, checked against each other.

    Parameters
    ----------
    sizes : sequence of int
    filter_shapes : list of (tuple of int or None)
        None: 7 along each axis, or what is below where that is smaller.
    pool_sizes : list of tuple of int, or "auto"
        Along the axes of images, and the maps. "auto": 2 along the axes that it divides, of all
        layers but the last.
    image_shape : tuple of int
    n_channels : int
    boundary : str
    alphas : sequence of float, or "auto"

    Returns
    -------
    plans : list of AdaptivePlan

    Raises
    ------
    ValueError
        For filters larger than what is below, and pools that do not divide the maps.
    """
    plans, shape, channels = [], tuple(image_shape), n_channels
    for i, (size, filter_shape) in enumerate(zip(sizes, filter_shapes, strict=True)):
        if filter_shape is None:
            filter_shape = tuple(min(_DEFAULT_WIDTH, n) for n in shape)
        geometry = make_geometry(shape, channels, filter_shape, boundary, i)
        map_shape = geometry.map_shape
        is_last = i == len(sizes) - 1
        if isinstance(pool_sizes, str):
            pools = tuple(1 if is_last or n % 2 else 2 for n in map_shape)
            pools = (*pools, 1)
        else:
            pools = pool_sizes[i]
        for axis, (n, s) in enumerate(zip((*map_shape, size), pools, strict=True)):
            if n % s:
                what = f"{n} maps" if axis == len(map_shape) else f"maps of shape {map_shape}"
                raise ValueError(f"pool_size={pools} of layer {i + 1} does not divide its {what}.")
        alpha = None if isinstance(alphas, str) else float(alphas[i])
        two = (1, *pools) if len(pools) == 2 else pools
        plans.append(AdaptivePlan(i, size, geometry, two, alpha))
        shape = tuple(n // s for n, s in zip(map_shape, pools, strict=False))
        channels = size // pools[-1]
    return plans


def checked_pool_sizes(pool_size, n_layers, n_axes):
    """Pools of each layer along the axes of images and the maps, or "auto".

    Raises
    ------
    ValueError
        For another number of them, or of axes, or lengths that are not positive.
    """
    if isinstance(pool_size, str):
        return pool_size
    if not isinstance(pool_size, list):
        pool_size = [pool_size] * n_layers
    if len(pool_size) != n_layers:
        raise ValueError(
            f"pool_size must be one pool or a list of one for each of the {n_layers} layers, got "
            f"{pool_size!r}."
        )
    pools = []
    for one in pool_size:
        size = (*(one,) * n_axes, 1) if isinstance(one, Integral) else tuple(one)
        if len(size) != n_axes + 1 or not all(isinstance(n, Integral) and n >= 1 for n in size):
            raise ValueError(
                f"A pool_size must have {n_axes + 1} positive lengths, of the axes of images and "
                f"then of the maps, or be one for all axes of images, got {one!r}."
            )
        pools.append(tuple(int(n) for n in size))
    return pools


def image_blocks(n, plans):
    """Slices of images, whose number does not depend on that of threads."""
    largest = max(plan.n_components * plan.geometry.n_places for plan in plans)
    step = max(1, min(_BLOCK // largest, -(-n // 4)))
    return [slice(first, min(first + step, n)) for first in range(0, n, step)]


def encode_images(layers, plans, images, *, positive, tol, max_iter, n_threads):
    """What ``infer_maps`` says of images on each layer, from the images up.

    Parameters
    ----------
    layers : list of PooledLayer
    plans : list of AdaptivePlan
    images : ndarray of float64, shape (n, rows, columns, channels)
    positive : bool
    tol, max_iter : float, int
    n_threads : int or None

    Returns
    -------
    inferred : list of InferredMaps
    """
    blocks = image_blocks(len(images), plans)

    def encode(index):
        some, switches, inferred = images[blocks[index]], [], []
        for top, plan in enumerate(plans, 1):
            chain = SwitchedChain(layers[:top], list(switches))
            found = infer_maps(
                chain, some, plan.alpha, positive=positive, tol=tol, max_iter=max_iter
            )
            inferred.append(found)
            switches.append(found.switches)
        return inferred

    parts = map_on_threads(encode, range(len(blocks)), effective_n_threads(n_threads))
    return [
        type(of_layer[0])(*(np.concatenate(arrays) for arrays in zip(*of_layer, strict=True)))
        for of_layer in zip(*parts, strict=True)
    ]
