"""Independent categories: a probability of each for every component and feature."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

__all__ = ["CategoricalComponents", "CategoricalStatistics"]

# A component starts with so much of its probability at its row, and the rest as in all data.
SHARE_OF_ROW = 0.25


@dataclass(frozen=True)
class CategoricalStatistics:
    """Σᵢ wᵢ q_ik over the rows of each category, (K, Σ_j L_j): the features one after the other."""

    sums: np.ndarray

    def merge(self, other):
        """Statistics of the rows of both."""
        return CategoricalStatistics(self.sums + other.sums)

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        return CategoricalStatistics(factor * self.sums)

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return CategoricalStatistics(np.zeros_like(self.sums))


@dataclass(frozen=True)
class CategoricalComponents:
    """log p(x | k) = Σ_j log p_kj(x_j), over observed entries; θ are the p, (K, Σ_j L_j).

    Rows are indices into the features' categories. They are worked with as a sparse matrix with a
    one for each observed entry, and a product with it gives all densities, or all sums.

    Attributes
    ----------
    n_components : int
    prior_strength : float
        a: the prior of each p_kj is Dirichlet(1 + a), as of a more rows of each category.
    categories : tuple of ndarray
        The values of each feature, sorted.
    """

    n_components: int
    prior_strength: float
    categories: tuple

    @property
    def sizes(self):
        """How many categories each feature has."""
        return np.array([len(values) for values in self.categories])

    @property
    def starts(self):
        """Where the features' categories begin in a row of θ."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    def by_feature(self, theta):
        """θ as a list of arrays (K, L_j)."""
        return np.split(theta, self.starts[1:-1], axis=1)

    def codes(self, X):
        """Indices into the categories, NaN where entries are missing.

        Raises
        ------
        ValueError
            For a value that is none of the categories.
        """
        codes = np.empty_like(X)
        for j, values in enumerate(self.categories):
            column = X[:, j]
            if not len(values):
                raise ValueError(f"Feature {j} of X has no observed value, and so no category.")
            position = np.minimum(np.searchsorted(values, column), len(values) - 1)
            unseen = (values[position] != column) & ~np.isnan(column)
            if unseen.any():
                raise ValueError(
                    f"Feature {j} of X has the value {column[unseen][0]:g}, which is none of its "
                    f"{len(values)} categories. Give n_categories where training data need not "
                    "show all of them."
                )
            codes[:, j] = np.where(np.isnan(column), np.nan, position)
        return codes

    def values(self, codes):
        """The values that complete codes stand for."""
        return np.column_stack(
            [values[column] for values, column in zip(self.categories, codes.T, strict=True)]
        )

    def one_hot(self, codes):
        """CSR array (n, Σ_j L_j) with a one for each observed entry."""
        observed = ~np.isnan(codes)
        columns = (codes + self.starts[:-1])[observed].astype(np.int32)
        indptr = np.concatenate([[0], np.cumsum(observed.sum(axis=1))])
        ones = np.ones(len(columns), dtype=codes.dtype)
        return sparse.csr_array((ones, columns, indptr), shape=(len(codes), self.starts[-1]))

    def log_densities(self, theta, X):
        with np.errstate(divide="ignore"):
            logarithms = np.log(theta)
        return self.one_hot(X) @ logarithms.T.astype(X.dtype)

    def collect(self, theta, X, shares):
        return CategoricalStatistics((self.one_hot(X).T @ shares).T.astype(np.float64))

    def _totals(self, sums):
        """Sums over the categories of each feature, at each of them."""
        return np.repeat(np.add.reduceat(sums, self.starts[:-1], axis=1), self.sizes, axis=1)

    def solve(self, statistics, theta):
        sums = statistics.sums + self.prior_strength
        totals = self._totals(sums)
        return np.where(totals > 0, sums / np.where(totals > 0, totals, 1), theta)

    def penalty(self, theta):
        if self.prior_strength == 0:
            return 0.0
        return -self.prior_strength * float(np.log(theta).sum())

    def objective(self, statistics, theta):
        used = statistics.sums > 0
        return -float(statistics.sums[used] @ np.log(theta[used]))

    def overall(self, sums):
        """Probabilities in all data, none of them 0."""
        sums = sums.sum(axis=0, keepdims=True) + 0.5
        return (sums / self._totals(sums))[0]

    def around(self, codes, overall):
        """Probabilities of components that start at these rows; gaps are as all data there."""
        rows = self.one_hot(codes).toarray()
        rows += overall * (self._totals(rows) == 0)
        return (1 - SHARE_OF_ROW) * overall + SHARE_OF_ROW * rows

    def restart(self, theta, statistics, components, rows):
        theta, sums = theta.copy(), statistics.sums.copy()
        theta[components] = self.around(rows, self.overall(sums))
        sums[components] = 0
        return theta, CategoricalStatistics(sums)

    # -- draws and gaps ---------------------------------------------------------------------------

    def sample(self, theta, labels, rng):
        """A row of each component in `labels`: values, not codes."""
        return self.values(self._drawn_codes(theta, labels, rng))

    def _drawn_codes(self, theta, labels, rng):
        codes = np.empty((len(labels), len(self.categories)), dtype=np.intp)
        for j, probabilities in enumerate(self.by_feature(theta)):
            ends = probabilities.cumsum(axis=1)[labels]
            codes[:, j] = (ends < rng.random((len(labels), 1)) * ends[:, -1:]).sum(axis=1)
        return codes

    def drawn(self, theta, X, labels, rng):
        """Rows of codes with their gaps drawn given the components."""
        return np.where(np.isnan(X), self._drawn_codes(theta, labels, rng), X)

    def most_probable(self, theta, X, posterior):
        """Rows of codes with their gaps at the most probable category."""
        X = X.copy()
        for j, probabilities in enumerate(self.by_feature(theta)):
            gaps = np.isnan(X[:, j])
            X[gaps, j] = np.argmax(posterior[gaps] @ probabilities, axis=1)
        return X

    def n_parameters(self, n_features):
        """Free parameters of all components."""
        return self.n_components * int((self.sizes - 1).sum())
