"""The likelihood of label images, exact on narrow grids."""

import numpy as np

__all__ = ["GridLikelihood", "clamped"]

# Log-potential of a label that an observed site does not have: e to that is 0, and sums of it over
# all sites stay far from overflow.
FORBIDDEN = -1e30
_MAX_ENTRIES = 2**22


class GridLikelihood:
    """−Σ w log P(y|x) / Σ w n_s and its gradient: expectations by summing sites out one by one.

    ::

        log P(y|x) = log Z(x, y known) − log Z(x)

    Unlabelled sites are summed out in both terms, n_s counts the labelled ones.

    Parameters
    ----------
    potentials : GridPotentials
    elimination : Elimination
        Of the grid's graph.
    features, edge_features, labels, weights
        See :class:`GridPseudoLikelihood`.
    """

    def __init__(self, potentials, elimination, features, edge_features, labels, weights):
        self._potentials, self._elimination = potentials, elimination
        self._features, self._edge_features = features, edge_features
        self._labels = labels
        # Where no site is labelled, the likelihood is 1, and there is nothing to divide by.
        self._weights = weights / ((weights @ (labels >= 0).sum(axis=1)) or 1.0)
        entries = features.shape[1] * potentials.n_labels ** (elimination.width + 1)
        size = max(1, _MAX_ENTRIES // entries)
        n = len(labels)
        self._blocks = [slice(a, min(a + size, n)) for a in range(0, n, size)]

    def __call__(self, theta):
        value, gradient = 0.0, np.zeros_like(theta)
        for rows in self._blocks:
            log_p, block_gradient = self._block(theta, rows)
            value -= self._weights[rows] @ log_p
            gradient -= block_gradient
        return float(value), gradient

    def log_likelihood(self, theta):
        """log P(y|x) of each image."""
        return np.concatenate([self._block(theta, rows, False)[0] for rows in self._blocks])

    def _block(self, theta, rows, with_gradient=True):
        p = self._potentials
        features, labels = self._features[rows], self._labels[rows]
        shared = len(self._edge_features) == 1
        edge_features = self._edge_features if shared else self._edge_features[rows]
        unary, tables = -p.unary(theta, features), -p.pair(theta, edge_features)
        observed = clamped(unary, labels)
        if not with_gradient:
            known = self._elimination.log_partition(observed, tables)
            return known - self._elimination.log_partition(unary, tables), None
        log_z, sites, edges = self._elimination.marginals(unary, tables)
        known, known_sites, known_edges = self._elimination.marginals(observed, tables)
        weights = self._weights[rows]
        gradient = p.gradient(
            features,
            weights[:, np.newaxis, np.newaxis] * (known_sites - sites),
            edge_features,
            weights[:, np.newaxis, np.newaxis, np.newaxis] * (known_edges - edges),
        )
        return known - log_z, gradient


def clamped(unary, labels):
    """Unary costs (..., n_sites, n_labels) with which labelled sites have no other label."""
    observed = np.array(unary)
    known = labels >= 0
    others = np.arange(unary.shape[-1]) != labels[known][:, np.newaxis]
    observed[known] = np.where(others, -FORBIDDEN, observed[known])
    return observed
