"""Training of an adaptive deconvolutional network, layer by layer."""

import numpy as np

from sklvm.kernels import effective_n_threads, map_on_threads
from sklvm.sparse_coding._image_patches import initial_filters
from sklvm.sparse_coding.layered._adaptive_coding import image_blocks
from sklvm.sparse_coding.layered._adaptive_inference import infer_maps
from sklvm.sparse_coding.layered._greedy_layers import AUTO_STRENGTH
from sklvm.sparse_coding.layered._pooling import pool
from sklvm.sparse_coding.layered._stack_training import StackTraining
from sklvm.sparse_coding.layered._switched_chain import PooledLayer, SwitchedChain

__all__ = ["AdaptiveTraining", "pooled_layer"]

# Steps of all filters of a layer between two rounds of codes.
_FILTER_STEPS = 3


def pooled_layer(components, plan):
    """A layer from its flat filters."""
    return PooledLayer(plan.geometry.filters(components), plan.geometry, plan.pool_size)


class AdaptiveTraining(StackTraining):
    """One layer after the other, each making the images through those below."""

    def _make_layer(self, plan, X, below, weights, rng):
        layers = [pooled_layer(D, p) for D, p in zip(self.components, self.plans, strict=False)]
        return AdaptiveLayer(plan, self.options, layers, X, below, weights, rng)


class AdaptiveLayer:
    """A layer in training; see ``GreedyLayer``.

    Parameters
    ----------
    plan : AdaptivePlan
    options : GreedyOptions
    layers : list of PooledLayer
        Those below.
    X : ndarray of shape (n, n_features)
    below : tuple of (switches, pooled maps) or None
        Of the layers below; None for the first.
    weights : ndarray of shape (n,)
    rng : Generator
    """

    def __init__(self, plan, options, layers, X, below, weights, rng):
        geometry = layers[0].geometry if layers else plan.geometry
        shape = geometry.two_axes(geometry.image_shape)
        self._images = np.asarray(X, dtype=np.float64).reshape(len(X), *shape, -1)
        self._options, self._weights = options, weights.astype(np.float64)
        self._below = layers
        self._switches, pooled = below if layers else ([], self._images)
        taps = (plan.n_components, *plan.geometry.two_axes(plan.geometry.filter_shape))
        filters = initial_filters(
            "data",
            (*taps, plan.geometry.n_channels),
            plan.geometry,
            pooled.reshape(len(X), -1),
            weights,
            positive=False,
            rng=rng,
        )
        self._layer = PooledLayer(filters, plan.geometry, plan.pool_size)
        self._blocks = image_blocks(len(X), [plan])
        total = self._weights.sum()
        if plan.alpha is None:
            largest = np.concatenate(self._map(self._largest_products))
            mean = float(self._weights @ largest) / float(total)
            plan = plan._replace(alpha=AUTO_STRENGTH * mean)
        self.plan = plan
        squares = np.einsum("nijc,nijc->n", self._images, self._images)
        self.scale = 0.5 * float(self._weights @ squares) / total
        self._inferred = None

    @property
    def components(self):
        return self._layer.filters.reshape(self.plan.n_components, -1)

    def epoch(self):
        """Codes, then filters, then codes that follow; the mean objective."""
        if self._inferred is None:
            self._inferred = self._map(self._infer)
        for _ in range(_FILTER_STEPS):
            if not self._move_filters():
                break
        self._inferred = self._map(lambda index: self._infer(index, self._inferred[index]))
        objectives = np.concatenate([part.objectives for part in self._inferred])
        return float(self._weights @ objectives) / float(self._weights.sum())

    def codes(self):
        """Switches of all layers up to this, and the pooled maps."""
        pools = [pool(part.maps, self.plan.pool_size)[0] for part in self._inferred]
        own = np.concatenate([part.switches for part in self._inferred])
        return [*self._switches, own], np.concatenate(pools)

    def _map(self, task):
        n_threads = effective_n_threads(self._options.n_threads)
        return map_on_threads(task, range(len(self._blocks)), n_threads)

    def _chain(self, index):
        rows = self._blocks[index]
        return SwitchedChain([*self._below, self._layer], [s[rows] for s in self._switches])

    def _largest_products(self, index):
        products = self._chain(index).correlate(self._images[self._blocks[index]])
        return np.abs(products).max(axis=(1, 2, 3))

    def _infer(self, index, before=None):
        return infer_maps(
            self._chain(index),
            self._images[self._blocks[index]],
            self.plan.alpha,
            positive=self._options.positive,
            start=None if before is None else (before.maps, before.switches),
            tol=self._options.tol,
            max_iter=self._options.max_iter,
        )

    def _move_filters(self):
        """A step of projected gradient to the minimum along it; whether there is one."""
        filters = self._layer.filters
        parts = self._map(self._filter_gradient)
        G = sum(parts)
        square = float(np.vdot(G, G))
        curvature = sum(self._map(lambda b: self._curvature(b, G)))
        if not (square > 0 and curvature > 0):
            return False
        moved = filters - (square / curvature) * G
        norms = np.sqrt(np.einsum("khwc,khwc->k", moved, moved))
        direction = moved / np.maximum(norms, 1)[:, None, None, None] - filters
        slope = -float(np.vdot(G, direction))
        curvature = sum(self._map(lambda b: self._curvature(b, direction)))
        if not (slope > 0 and curvature > 0):
            return False
        filters = filters + min(1.0, slope / curvature) * direction
        self._layer = self._layer._replace(filters=filters)
        return True

    def _filter_gradient(self, index):
        rows, chain, maps = self._blocks[index], self._chain(index), self._inferred[index].maps
        errors = chain.synthesize(maps) - self._images[rows]
        errors *= self._weights[rows, np.newaxis, np.newaxis, np.newaxis]
        return self._layer.pull(maps, chain.back(errors))

    def _curvature(self, index, direction):
        """Of the data term along a change of the filters."""
        images = self._chain(index).synthesize(self._inferred[index].maps, direction)
        squares = np.einsum("nijc,nijc->n", images, images)
        return float(self._weights[self._blocks[index]] @ squares)
