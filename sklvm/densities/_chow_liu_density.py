"""A tree of binary units: the noise closest to binary data that is still drawn in one pass."""

import numpy as np
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from sklvm.statistics import GaussianStatistics

__all__ = ["ChowLiuDensity"]


class ChowLiuDensity:
    """p(x) = p(x_r) Π_{j ≠ r} p(x_j | x_{π(j)}) on {0, 1}^d, π(j) the parent of unit j in a tree.

    Of all trees, that of greatest weight, an edge having the mutual information of its two units,
    gives the density of greatest likelihood, and of least divergence from the data [1]_.

    Parameters
    ----------
    parents : ndarray of int of shape (d,)
        π(j), and −1 at the root r.
    conditional_means : ndarray of shape (2, d)
        p(x_j = 1 | x_{π(j)} = 0) and, below it, p(x_j = 1 | x_{π(j)} = 1), strictly between 0 and
        1; at the root the first counts.

    References
    ----------
    .. [1] Chow, Liu, "Approximating discrete probability distributions with dependence trees", IEEE
       Transactions on Information Theory 14 (1968).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.densities import ChowLiuDensity
    >>> density = ChowLiuDensity(np.array([-1, 0]), np.array([[0.5, 0.1], [0.5, 0.9]]))
    >>> np.exp(density.log_density(np.array([[0.0, 0.0], [0.0, 1.0]]))).round(6)
    array([0.45, 0.05])
    """

    def __init__(self, parents, conditional_means):
        self.parents = parents
        self.conditional_means = conditional_means
        self.n_features = len(parents)
        self._levels = _levels(parents)
        # log p is a sum of a constant, of a term a unit and of one an edge.
        log_odds = np.log(conditional_means) - np.log1p(-conditional_means)
        log_off = np.log1p(-conditional_means)
        child = parents >= 0
        self._couplings = np.where(child, log_odds[1] - log_odds[0], 0)
        self._biases = log_odds[0].copy()
        np.add.at(self._biases, parents[child], (log_off[1] - log_off[0])[child])
        self._log_all_off = log_off[0].sum()

    @classmethod
    def fit(cls, X, sample_weight=None):
        """The tree of the (weighted) rows of X, as if there were one row more of fair coins."""
        statistics = GaussianStatistics.collect(X, sample_weight)
        mean, covariance = statistics.solve()
        total = statistics.weight + 1
        on = (statistics.weight * mean + 0.5) / total
        both_on = (statistics.weight * (covariance + np.outer(mean, mean)) + 0.25) / total
        parents = _tree_of_greatest_weight(_mutual_information(on, both_on))
        children, above = np.flatnonzero(parents >= 0), parents[parents >= 0]
        means = np.stack([on, on])
        joint = both_on[children, above]
        means[:, children] = (on[children] - joint) / (1 - on[above]), joint / on[above]
        return cls(parents, means.astype(X.dtype))

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        edges = np.einsum("ij,ij,j->i", X, X[:, self.parents], self._couplings)
        return X @ self._biases + edges + self._log_all_off

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d): the root, its children, theirs, and so on."""
        dtype = self.conditional_means.dtype
        off, on = self.conditional_means[:, :, np.newaxis]
        # Units in rows, which are picked out faster than columns.
        X = rng.random((self.n_features, n_samples), dtype=dtype)
        for units in self._levels:
            parents = X[self.parents[units]]
            means = np.where(parents == 1, on[units], off[units])
            X[units] = X[units] < means
        return np.ascontiguousarray(X.T)

    def sample_with_log_density(self, n_samples, rng):
        """Draws and their log-densities."""
        X = self.sample(n_samples, rng)
        return X, self.log_density(X)


def _mutual_information(on, both_on):
    """Of each pair of units, in nats, from p(x_j = 1) and p(x_j = x_k = 1)."""
    information = np.zeros_like(both_on)
    off, of_row = 1 - on, on[:, np.newaxis]
    cells = (
        (both_on, on, on),
        (of_row - both_on, on, off),
        (on - both_on, off, on),
        (1 - of_row - on + both_on, off, off),
    )
    for joint, *marginals in cells:
        # Rounding may leave a cell that ought to be as small as the smoothing below 0.
        joint = np.maximum(joint, np.finfo(joint.dtype).tiny)
        information += joint * np.log(joint / np.outer(*marginals))
    return information


def _tree_of_greatest_weight(weights):
    """The parent of each unit in the maximum spanning tree, which is rooted at unit 0."""
    # Entries of 0 would be no edges.
    lengths = np.triu(1 + weights.max() - weights, 1)
    tree = minimum_spanning_tree(lengths)
    _, parents = breadth_first_order(tree, 0, directed=False)
    return np.where(parents < 0, -1, parents)


def _levels(parents):
    """Units at distance 0, 1, … from the root."""
    depths = np.where(parents < 0, 0, -1)
    levels = [np.flatnonzero(depths == 0)]
    while len(levels[-1]):
        below = np.flatnonzero((depths < 0) & (depths[parents] == len(levels) - 1))
        depths[below] = len(levels)
        levels.append(below)
    return levels[:-1]
