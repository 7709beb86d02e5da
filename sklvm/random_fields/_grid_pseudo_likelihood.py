"""The pseudo-likelihood of label images."""

import numpy as np
from scipy.special import log_softmax

__all__ = ["GridPseudoLikelihood"]


class GridPseudoLikelihood:
    """−Σ w Σ_s log P(y_s | y_t of its neighbours, x) / Σ w n_s, and its gradient in θ.

    As labels are given, the conditional of a site is a softmax that is linear in θ: sums of edge
    features over neighbours of each label take the place of features of its own. Convex. Unlabelled
    sites are left out, and so are their edges.

    Besag, "Statistical analysis of non-lattice data", The Statistician 24 (1975).

    Parameters
    ----------
    potentials : GridPotentials
    features : ndarray of shape (n, n_sites, n_features)
    edge_features : ndarray of shape (n or 1, n_edges, n_edge_features)
    labels : ndarray of int, shape (n, n_sites)
        −1: unlabelled.
    weights : ndarray of shape (n,)
    """

    def __init__(self, potentials, features, edge_features, labels, weights):
        self._potentials = potentials
        known = labels >= 0
        self._labels = labels[known]
        self._features = features[known]
        site_weights = np.broadcast_to(weights[:, np.newaxis], labels.shape)[known]
        self._weights = site_weights / site_weights.sum()
        self._counts = self._neighbour_sums(labels, known, edge_features)
        self._rows = np.arange(len(self._labels))

    def _neighbour_sums(self, labels, known, edge_features):
        """Σ over neighbours with label a of their edges' features.

        Potts: of shape (n_known, K, L). Full: (n_known, D, 2, K, L), the third axis for whether the
        site is the first or the second of its edges.
        """
        p = self._potentials
        n, n_edge_features = len(labels), edge_features.shape[-1]
        edge_features = np.broadcast_to(edge_features, (n, *edge_features.shape[1:]))
        shape = (n_edge_features, p.n_labels) if p.is_potts else (
            p.n_directions, 2, n_edge_features, p.n_labels
        )  # fmt: skip
        sums = np.zeros((*labels.shape, *shape))
        image = np.arange(n)[:, np.newaxis]
        for end in (0, 1):
            for direction in range(p.n_directions):
                of = p.directions == direction
                sites, others = p.graph.edges[of, end], p.graph.edges[of, 1 - end]
                other_labels = labels[:, others]
                values = np.where((other_labels >= 0)[..., np.newaxis], edge_features[:, of], 0)
                # A site has at most one edge of a direction by that end: no two writes collide.
                if p.is_potts:
                    for k in range(n_edge_features):
                        sums[image, sites, k, other_labels] += values[..., k]
                else:
                    for k in range(n_edge_features):
                        sums[image, sites, direction, end, k, other_labels] += values[..., k]
        return sums[known]

    def __call__(self, theta):
        p = self._potentials
        coupling = p.layout.views(theta)["coupling"]
        logits = p.unary(theta, self._features)
        if p.is_potts:
            # −θ_k [z ≠ y_t] is θ_k [z = y_t] but for a constant.
            logits += np.einsum("k,nka->na", coupling, self._counts)
        else:
            logits += np.einsum("dkab,ndkb->na", coupling, self._counts[:, :, 0])
            logits += np.einsum("dkba,ndkb->na", coupling, self._counts[:, :, 1])
        log_p = log_softmax(logits, axis=1)
        value = -self._weights @ log_p[self._rows, self._labels]
        residual = np.exp(log_p)
        residual[self._rows, self._labels] -= 1
        residual *= self._weights[:, np.newaxis]
        gradient = np.empty_like(theta)
        parts = p.layout.views(gradient)
        parts["weights"][...] = self._features.T @ residual
        parts["intercept"][...] = residual.sum(axis=0)
        if p.is_potts:
            parts["coupling"][...] = np.einsum("na,nka->k", residual, self._counts)
        else:
            parts["coupling"][...] = np.einsum("na,ndkb->dkab", residual, self._counts[:, :, 0])
            parts["coupling"][...] += np.einsum("na,ndkb->dkba", residual, self._counts[:, :, 1])
        return float(value), gradient
