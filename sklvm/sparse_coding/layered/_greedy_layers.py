"""Dictionaries that are learned one after the other, each of the codes below it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse

from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._convolutional_expectation import ConvolutionalExpectation, Filters
from sklvm.sparse_coding._dictionary_expectation import DictionaryExpectation
from sklvm.sparse_coding._image_patches import initial_filters
from sklvm.sparse_coding._initial_dictionary import initial_dictionary
from sklvm.sparse_coding.dictionaries import (
    ConvolutionalDictionary,
    ConvolutionGeometry,
    DenseDictionary,
    OnMaps,
)
from sklvm.sparse_coding.layered._layer_stack import make_geometry, one_per_layer
from sklvm.sparse_coding.penalties import L1
from sklvm.training import StatisticsTraining

__all__ = ["AUTO_STRENGTH", "GreedyLayer", "LayerPlan", "as_dictionary", "layer_plans"]

# α of a layer where it is "auto": this part of the mean norm of what the layer codes, which no
# product with an atom exceeds.
AUTO_STRENGTH = 0.1


class LayerPlan(NamedTuple):
    """What a layer is to be.

    Attributes
    ----------
    index : int
        From 0.
    n_components : int
        Atoms, or filters.
    geometry : ConvolutionGeometry or None
        None: it is dense.
    n_features : int
        Entries of what it codes.
    alpha : float or None
        None: that follows from what it codes.
    connectivity : ndarray of bool, shape (n_components, n_channels), or None
        Which channels each filter has; None: all.
    """

    index: int
    n_components: int
    geometry: ConvolutionGeometry | None
    n_features: int
    alpha: float | None
    connectivity: np.ndarray | None = None

    @property
    def shape(self):
        """What a layer that goes on must have in common with it."""
        return self.n_components, self.n_features, self.geometry


def layer_plans(
    sizes, filter_shapes, image_shape, n_channels, boundary, n_features, alpha, connectivity=None
):
    """Plans of all layers, checked against each other.

    Parameters
    ----------
    sizes : sequence of int
    filter_shapes : list of (tuple of int or None)
        None: a dense layer.
    image_shape : tuple of int or None
    n_channels : int
    boundary : str
    n_features : int
        The data's width.
    alpha : float, sequence of float or "auto"
    connectivity : list of (ndarray or None), default=None

    Returns
    -------
    plans : list of LayerPlan
    """
    n_layers = len(sizes)
    alphas = [None] * n_layers
    if not isinstance(alpha, str):
        alphas = one_per_layer(alpha, n_layers, "alpha").tolist()
    plans, shape, channels = [], image_shape, n_channels
    for i, (size, filter_shape) in enumerate(zip(sizes, filter_shapes, strict=True)):
        geometry = None
        if filter_shape is not None:
            geometry = make_geometry(shape, channels, filter_shape, boundary, i)
            shape, channels = geometry.map_shape, size
        mask = None if connectivity is None else connectivity[i]
        plans.append(LayerPlan(i, size, geometry, n_features, alphas[i], mask))
        n_features = size if geometry is None else size * geometry.n_places
    return plans


def as_dictionary(components, plan):
    """A layer as an operator of a chain."""
    if plan.geometry is None:
        return DenseDictionary(components)
    dictionary = ConvolutionalDictionary(components, plan.geometry)
    return dictionary if plan.index == 0 else OnMaps(dictionary)


@dataclass(frozen=True)
class GreedyOptions:
    """What is the same for all layers.

    Attributes
    ----------
    positive : bool
    tol : float
        Of the codes.
    max_iter : int
    n_jobs : int or None
    dtype : dtype
    """

    positive: bool
    tol: float
    max_iter: int
    n_jobs: int | None
    dtype: np.dtype

    @property
    def n_threads(self):
        return None if self.n_jobs is None else effective_n_jobs(self.n_jobs)

    def coding(self, alpha):
        return CodingOptions(
            L1(), alpha, self.positive, "auto", self.tol, self.max_iter, True, self.n_jobs
        )


class GreedyLayer:
    """A layer in training, and what it codes.

    Parameters
    ----------
    plan : LayerPlan
    options : GreedyOptions
    below : ndarray of shape (n, n_features)
        Data, or codes; those of filters map after map.
    weights : ndarray of shape (n,)
    rng : Generator
    workers : object
        Those of the estimator's ``StatisticsTraining``.
    """

    def __init__(self, plan, options, below, weights, rng):
        squares = np.einsum("ij,ij->i", below, below, dtype=np.float64)
        total = float(weights.sum())
        if plan.alpha is None:
            mean_norm = float(weights @ np.sqrt(squares)) / total
            plan = plan._replace(alpha=AUTO_STRENGTH * mean_norm)
        self.plan = plan
        # The objective of zero codes, in which a pass must gain.
        self.scale = 0.5 * float(weights @ squares) / total
        if plan.geometry is not None and plan.index > 0:
            below = below.reshape(len(below), plan.geometry.n_channels, -1)
            below = below.transpose(0, 2, 1).reshape(len(below), -1)
        self._below, self._weights = np.ascontiguousarray(below), weights
        start = self._start_dense if plan.geometry is None else self._start_filters
        model, theta = start(options, rng)
        self.training = StatisticsTraining(model, theta, rng, n_jobs=options.n_jobs)
        self.training.begin(self._below, weights, None, max_iter=None, batch_size=None)

    def _start_dense(self, options, rng):
        plan = self.plan
        model = DictionaryExpectation(
            n_components=plan.n_components,
            coding=options.coding(plan.alpha),
            positive=False,
            max_passes=DictionaryExpectation.passes_for(len(self._below)),
            dtype=options.dtype,
        )
        atoms = initial_dictionary(
            "data", plan.n_components, self._below, self._weights, positive=False, rng=rng
        )
        return model, atoms

    def _start_filters(self, options, rng):
        plan, geometry = self.plan, self.plan.geometry
        model = ConvolutionalExpectation(
            n_components=plan.n_components,
            geometry=geometry,
            coding=options.coding(plan.alpha),
            positive=False,
            dtype=options.dtype,
            connectivity=plan.connectivity,
            centring=False,
        )
        shape = (plan.n_components, *geometry.two_axes(geometry.filter_shape), geometry.n_channels)
        taps = initial_filters(
            "data", shape, geometry, self._below, self._weights, positive=False, rng=rng
        )
        return model, Filters.start(model.connected(taps, rng))

    def epoch(self):
        """One pass over the rows; its mean objective."""
        rows = np.arange(len(self._below))
        with self.training.working():
            self.training.epoch(self._below, self._weights, rows, batch_size=None, shuffle=False)
        return self.training.objective

    @property
    def components(self):
        theta = self.training.theta
        return theta if self.plan.geometry is None else theta.components

    def codes(self):
        """Of the last pass, at the dictionary as it is now."""
        local = self.training.local
        if self.plan.geometry is not None:
            local = [coded.results for coded in local]
        return sparse.vstack([results.codes for results in local], format="csr").toarray()
