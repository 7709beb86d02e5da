"""Contrastive divergence of label images."""

from functools import lru_cache

import numpy as np

from sklvm.graphs import SiteGraph
from sklvm.kernels import uniform
from sklvm.random_fields._grid_likelihood import clamped
from sklvm.random_fields.inference import PairwiseModel

__all__ = ["GridContrastiveDivergence"]

# In place of what is forbidden, a cost that sums of doubles still tell from others.
_LARGE = 1e6


class GridContrastiveDivergence:
    """∇ log P(y|x) ≈ ∂(labels seen) − ∂(labels of a chain), a chain an image.

    ::

        contrastive divergence: the chain of n_steps sweeps starts at the labels
        persistent:             it goes on from the image's last visit

    Unlabelled sites of the first term are drawn as well, given the labelled ones.

    Hinton (2002); Tieleman (2008); He, Zemel and Carreira-Perpiñán, "Multiscale conditional random
    fields for image labeling", CVPR 2004, for the conditional form.

    Parameters
    ----------
    potentials : GridPotentials
    features, edge_features, labels
        See :class:`GridPseudoLikelihood`.
    weights : ndarray of shape (n,)
        Mean 1.
    n_steps : int
    is_persistent : bool
    seed : int
    """

    def __init__(
        self, potentials, features, edge_features, labels, weights, *, n_steps, is_persistent, seed
    ):
        self._potentials = potentials
        self._features, self._edge_features = features, edge_features
        self._labels, self._weights = labels, weights
        self._n_steps, self._is_persistent, self._seed = n_steps, is_persistent, seed
        drawn = uniform(labels.shape, seed, sweep=0) * potentials.n_labels
        self._seen = np.where(labels >= 0, labels, drawn.astype(np.int64)).astype(np.int32)
        self._chains = self._seen.copy()
        self._sweep = 1

    def gradient(self, theta, rows):
        """Of −log P(y|x) a labelled site, over the images `rows`."""
        p = self._potentials
        shared = len(self._edge_features) == 1
        edge_features = self._edge_features if shared else self._edge_features[rows]
        unary, tables, weights = _costs(p, theta, self._features[rows], edge_features)
        labels, seen = self._labels[rows], self._seen[rows]
        if np.any(labels < 0):
            fixed = np.minimum(clamped(unary, labels), unary + _LARGE)
            self._run(fixed, tables, weights, seen, layer=1)
            self._seen[rows] = seen
        drawn = self._chains[rows] if self._is_persistent else seen.copy()
        self._run(unary, tables, weights, drawn, layer=0)
        self._chains[rows] = drawn
        self._sweep += self._n_steps
        of_images = self._weights[rows]
        one_hot = np.eye(p.n_labels)
        site_bar = (one_hot[drawn] - one_hot[seen]) * of_images[:, np.newaxis, np.newaxis]
        edge_bar = np.zeros((len(rows), p.graph.n_edges, p.n_labels, p.n_labels))
        place = np.ix_(range(len(rows)), range(p.graph.n_edges))
        for images, sign in ((drawn, 1.0), (seen, -1.0)):
            first, second = images[:, p.graph.edges[:, 0]], images[:, p.graph.edges[:, 1]]
            edge_bar[(*place, first, second)] += sign * of_images[:, np.newaxis]
        gradient = p.gradient(self._features[rows], site_bar, edge_features, edge_bar)
        return gradient / max(of_images @ (labels >= 0).sum(axis=1), 1.0)

    def _run(self, unary, tables, weights, labels, layer):
        """Sweeps over all images side by side, as one graph in as many parts; in place."""
        graph = _side_by_side(self._potentials.graph, len(labels))
        model = PairwiseModel(unary.reshape(graph.n_sites, -1), graph, tables, weights)
        flat, sweeps = labels.reshape(-1), model.sweeps()
        for step in range(self._n_steps):
            at = {"sweep": self._sweep + step, "layer": layer}
            sweeps.gibbs(1.0, uniform(labels.shape, self._seed, **at).reshape(-1), flat, None)


def _costs(potentials, theta, features, edge_features):
    """Unary costs (n, n_sites, L) and, of all edges one after the other, tables and weights."""
    n = len(features)
    unary = -potentials.unary(theta, features)
    if potentials.is_potts:
        weights = edge_features @ potentials.layout.views(theta)["coupling"]
        weights = np.broadcast_to(weights, (n, weights.shape[1])).ravel()
        return unary, 1 - np.eye(potentials.n_labels), weights
    tables = -potentials.pair(theta, edge_features)
    tables = np.broadcast_to(tables, (n, *tables.shape[1:]))
    return unary, tables.reshape(-1, *tables.shape[2:]), None


@lru_cache(maxsize=8)
def _side_by_side(graph, n):
    offsets = graph.n_sites * np.arange(n)[:, np.newaxis, np.newaxis]
    return SiteGraph(n * graph.n_sites, (graph.edges + offsets).reshape(-1, 2))
