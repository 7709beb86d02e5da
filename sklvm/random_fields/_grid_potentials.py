"""Log-potentials of a grid field as linear functions of its parameters."""

import numpy as np

from sklvm.graphs import grid_graph
from sklvm.layouts import ParameterLayout
from sklvm.random_fields.inference import PairwiseModel

__all__ = ["GridPotentials"]


class GridPotentials:
    """log P̃(y|x) = Σ_s (Wᵀ f_s + b)(y_s) + Σ_e c_e(y_s, y_t), and its derivatives.

    ::

        Potts:   c_e(a, b) = −Σ_k g_ek θ_k [a ≠ b]
        full:    c_e(a, b) = Σ_k g_ek A_{dk}(a, b),    d the direction of edge e

    Parameters
    ----------
    image_shape : tuple of int
    neighbourhood : {4, 8}
    n_labels, n_features, n_edge_features : int
        Of a site: those of f; of an edge: those of g, the first of which is 1.
    pairwise : {"potts", "full"}
    """

    def __init__(self, image_shape, neighbourhood, n_labels, n_features, n_edge_features, pairwise):
        self.graph = grid_graph(image_shape, neighbourhood)
        self.n_labels, self.is_potts = n_labels, pairwise == "potts"
        steps = self.graph.edges[:, 1] - self.graph.edges[:, 0]
        columns = self.graph.edges % image_shape[1]
        # 0: to the right, 1: down, 2 and 3: the diagonals.
        across = columns[:, 1] - columns[:, 0]
        is_down = steps - across > 0
        self.directions = np.where(
            ~is_down, 0, np.where(across == 0, 1, np.where(across > 0, 2, 3))
        )
        self.n_directions = {4: 2, 8: 4}[neighbourhood]
        coupling = (n_edge_features,)
        if not self.is_potts:
            coupling = (self.n_directions, n_edge_features, n_labels, n_labels)
        self.layout = ParameterLayout(
            {"weights": (n_features, n_labels), "coupling": coupling, "intercept": (n_labels,)}
        )

    @property
    def n_penalized(self):
        return self.layout.size - self.n_labels

    def penalties(self, alpha, coupling_alpha):
        """The strength of the l2 penalty of each penalised parameter."""
        strengths = np.full(self.n_penalized, float(alpha))
        strengths[int(np.prod(self.layout["weights"])) :] = coupling_alpha
        return strengths

    def unary(self, theta, features):
        """Log-potentials of the labels of sites, of shape (..., n_labels)."""
        parts = self.layout.views(theta)
        return features @ parts["weights"] + parts["intercept"]

    def pair(self, theta, edge_features):
        """Log-potentials of edges, of shape (..., n_edges, n_labels, n_labels)."""
        coupling = self.layout.views(theta)["coupling"]
        if self.is_potts:
            differs = 1 - np.eye(self.n_labels)
            return -(edge_features @ coupling)[..., np.newaxis, np.newaxis] * differs
        if edge_features.shape[-1] == 1:
            return edge_features[..., np.newaxis] * coupling[self.directions, 0]
        return np.einsum("...ek,ekab->...eab", edge_features, coupling[self.directions])

    def model(self, theta, features, edge_features):
        """The energy of the labels of one image."""
        coupling = self.layout.views(theta)["coupling"]
        unary = -self.unary(theta, features)
        if self.is_potts:
            differs = 1 - np.eye(self.n_labels)
            return PairwiseModel(unary, self.graph, differs, edge_features @ coupling)
        return PairwiseModel(unary, self.graph, -self.pair(theta, edge_features))

    def gradient(self, features, site_bar, edge_features, edge_bar):
        """Σ over images of ∂/∂θ, given those by the potentials of sites and of edges.

        Parameters
        ----------
        features : ndarray of shape (n, n_sites, n_features)
        site_bar : ndarray of shape (n, n_sites, n_labels)
        edge_features : ndarray of shape (n or 1, n_edges, n_edge_features)
        edge_bar : ndarray of shape (n, n_edges, n_labels, n_labels)
        """
        gradient = np.empty(self.layout.size)
        parts = self.layout.views(gradient)
        flat = site_bar.reshape(-1, self.n_labels)
        parts["weights"][...] = features.reshape(len(flat), -1).T @ flat
        parts["intercept"][...] = flat.sum(axis=0)
        if self.is_potts:
            differs = edge_bar.sum(axis=(2, 3)) - np.trace(edge_bar, axis1=2, axis2=3)
            parts["coupling"][...] = -np.einsum("nek,ne->k", *_same(edge_features, differs))
        else:
            for direction in range(self.n_directions):
                of = self.directions == direction
                parts["coupling"][direction] = np.einsum(
                    "nek,neab->kab", *_same(edge_features[:, of], edge_bar[:, of])
                )
        return gradient


def _same(edge_features, bar):
    """Edge features that all images share meet the sum over images."""
    if len(edge_features) == 1 and len(bar) > 1:
        bar = bar.sum(axis=0, keepdims=True)
    return edge_features, bar
