"""What a dictionary needs to know of data rows and their codes."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from sklvm.kernels import add_code_products, update_atoms

__all__ = ["DictionaryStatistics"]

# Few enough rows for their float64 copy to stay in the cache, and for Ctrl-C to be heard.
_CHUNK_ROWS = 1024


@dataclass(frozen=True)
class DictionaryStatistics:
    """Sufficient statistics of Σᵢ wᵢ ½‖xᵢ − zᵢD‖² as a function of the dictionary D.

    Statistics of parts of the data merge into those of the whole, so that batch and online learning
    and a map-reduce over workers are the same code. They are held in float64 whatever the data are.

    Parameters
    ----------
    weight : float
        Σᵢ wᵢ; the number of rows where there are no weights.
    code_scatter : ndarray of shape (n_components, n_components)
        A = Σᵢ wᵢ zᵢᵀzᵢ, symmetric.
    code_data : ndarray of shape (n_components, n_features)
        B = Σᵢ wᵢ zᵢᵀxᵢ.

    References
    ----------
    Mairal, Bach, Ponce and Sapiro (2010), "Online learning for matrix factorization and sparse
    coding", algorithms 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sklvm.statistics import DictionaryStatistics
    >>> X, Z = np.array([[1.0, 0.0], [0.0, 3.0]]), sparse.csr_array([[2.0, 0.0], [0.0, 3.0]])
    >>> parts = [DictionaryStatistics.collect(X[i : i + 1], Z[i : i + 1]) for i in (0, 1)]
    >>> parts[0].merge(parts[1]).solve(np.eye(2))
    array([[0.5, 0. ],
           [0. , 1. ]])
    """

    weight: float
    code_scatter: np.ndarray
    code_data: np.ndarray

    @classmethod
    def collect(cls, X, codes, sample_weight=None, *, dictionary=None):
        """Statistics of rows and their codes.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32 or float64
            NaN: missing.
        codes : CSR array of shape (n_samples, n_components)
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative weights; None: every row counts once.
        dictionary : ndarray of shape (n_components, n_features), default=None
            D₀, for missing entries: they count as what z D₀ says of them. The objective of the
            completed data is nowhere below that of the known entries, and equal at D₀, so that to
            lower the one lowers the other.

        Returns
        -------
        statistics : DictionaryStatistics
        """
        n_samples, n_features = X.shape
        weights = np.ones(n_samples) if sample_weight is None else sample_weight
        weights = weights.astype(np.float64)
        n_components = codes.shape[1]
        scatter = np.zeros((n_components, n_components))
        products = np.zeros((n_components, n_features))
        codes = sparse.csr_array(codes, dtype=np.float64)
        codes.sort_indices()
        for start in range(0, n_samples, _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            chunk, part = np.array(X[rows], dtype=np.float64, order="C"), codes[rows]
            if (missing := np.isnan(chunk)).any():
                chunk[missing] = (part @ dictionary)[missing]
            add_code_products(part, chunk, weights[rows], scatter, products)
        scatter += np.tril(scatter, -1).T
        return cls(float(weights.sum()), scatter, products)

    @classmethod
    def empty(cls, n_components, n_features):
        """Statistics of no rows at all: the neutral element of ``merge``."""
        shape = (n_components, n_features)
        return cls(0.0, np.zeros((n_components, n_components)), np.zeros(shape))

    def merge(self, other):
        """Statistics of the rows of both, as new statistics."""
        return DictionaryStatistics(
            self.weight + other.weight,
            self.code_scatter + other.code_scatter,
            self.code_data + other.code_data,
        )

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        return DictionaryStatistics(
            factor * self.weight, factor * self.code_scatter, factor * self.code_data
        )

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return DictionaryStatistics.empty(*self.code_data.shape)

    def without(self, atoms):
        """Statistics in which no row has used these atoms."""
        scatter, products = self.code_scatter.copy(), self.code_data.copy()
        scatter[atoms], scatter[:, atoms], products[atoms] = 0, 0, 0
        return replace(self, code_scatter=scatter, code_data=products)

    def solve(self, dictionary, *, positive=False, max_passes=1, tol=1e-3):
        """The dictionary of atoms in the unit ball that fits best, from a given one.

        Parameters
        ----------
        dictionary : ndarray of shape (n_components, n_features)
            Where block coordinate descent starts.
        positive : bool, default=False
            Whether atoms are non-negative.
        max_passes : int, default=1
            Greatest number of passes over the atoms.
        tol : float, default=1e-3
            Passes end when one moves the dictionary by less than this part of the first.

        Returns
        -------
        dictionary : ndarray of float64, shape (n_components, n_features)
            Never a worse one; atoms that no row uses are as they were.
        """
        dictionary = np.array(dictionary, dtype=np.float64, order="C")
        first = None
        for _ in range(max_passes):
            moved = update_atoms(self.code_scatter, self.code_data, dictionary, positive=positive)
            first = moved if first is None else first
            if moved <= tol**2 * first:
                break
        return dictionary
