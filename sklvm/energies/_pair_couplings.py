"""Symmetric couplings of binary units: products with them, their gradients, sweeps over units."""

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.distance import squareform

from sklvm.kernels import pair_matrix, sweep_sites, sweep_sparse_sites

__all__ = ["PairCouplings"]

# Sweeps after which the inputs are computed anew: until then rounding errors add up.
_SWEEPS_BETWEEN = 64

# Numbers in a block of products of pairs.
_BLOCK_ENTRIES = 2**20


class PairCouplings:
    """J, symmetric with diagonal 0, as one number a pair of units: ½ xᵀJx is linear in them.

    Parameters
    ----------
    n_units : int
        d.
    graph : SiteGraph, default=None
        The pairs that may be coupled; None: all, in the order of the upper triangle's rows.

    Attributes
    ----------
    n_pairs : int

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import PairCouplings
    >>> couplings = PairCouplings(3)
    >>> couplings.matrix(np.array([1.0, 2.0, 3.0]))
    array([[0., 1., 2.],
           [1., 0., 3.],
           [2., 3., 0.]])
    """

    def __init__(self, n_units, graph=None):
        self.n_units, self.graph = n_units, graph
        self.n_pairs = n_units * (n_units - 1) // 2 if graph is None else graph.n_edges
        # Sparse kernels win where a unit has few neighbours among all.
        self._is_sparse = graph is not None and 16 * graph.n_edges <= n_units**2

    def matrix(self, values):
        """J, dense of shape (d, d)."""
        if self.graph is None:
            return pair_matrix(values, self.n_units)
        J = np.zeros((self.n_units, self.n_units), dtype=values.dtype)
        first, second = self.graph.edges.T
        J[first, second] = J[second, first] = values
        return J

    def products(self, values, X):
        """XJ, shape (n, d)."""
        return X @ self._operator(values)

    def pull(self, V, X):
        """Σᵢ vᵢₐxᵢ_b + vᵢ_bxᵢₐ of each pair (a, b): the pullback of V through ``products``."""
        if self._is_sparse:
            return self._sums_over_rows(V, X) + self._sums_over_rows(X, V)
        G = V.T @ X
        return self._values(G + G.T)

    def pull_square(self, w, X):
        """Σᵢ wᵢ xᵢₐ xᵢ_b of each pair (a, b): the pullback of w through ½ xᵀJx."""
        if self._is_sparse:
            return self._sums_over_rows(w[:, np.newaxis] * X, X)
        return self._values((w[:, np.newaxis] * X).T @ X)

    def sweep(self, values, X, bias, seed, *, cache=None, **options):
        """A sweep of Gibbs sampling over the units, p(x_j = 1 | others) = s(scale (Jx)_j + bias_j).

        Parameters
        ----------
        values : ndarray of shape (n_pairs,)
        X : ndarray of shape (n, d)
            Chains; units that are not free may be any numbers.
        bias : ndarray of shape (d,) or (n, d)
        seed : int
        cache : object, default=None
            What the last sweep returned, if nobody but it has moved the chains.
        **options
            ``sweep``, ``layer``, ``scale`` and ``free``, as of :func:`sklvm.kernels.sweep_sites`.

        Returns
        -------
        X : ndarray of shape (n, d)
            A new array.
        cache : object
        """
        X = np.array(X, dtype=values.dtype, order="C")
        if self._is_sparse:
            return sweep_sparse_sites(X, self.graph, values, bias, seed, **options), None
        if not (cache and cache.is_of(values) and options.get("sweep", 0) % _SWEEPS_BETWEEN):
            matrix = self._operator(values)
            cache = _Inputs(values.copy(), matrix, X @ matrix)
        inputs = cache.inputs.copy()
        sweep_sites(X, inputs, cache.matrix, bias, seed, **options)
        return X, _Inputs(cache.values, cache.matrix, inputs)

    # -- one number a pair ------------------------------------------------------------------------

    def _operator(self, values):
        """J, dense, or as a CSR array."""
        if not self._is_sparse:
            return self.matrix(values)
        graph = self.graph
        slots = values[graph.slot_edges], graph.neighbours, graph.starts
        return csr_array(slots, shape=(self.n_units, self.n_units))

    def _values(self, G):
        """The entries of G at the pairs."""
        if self.graph is not None:
            return G[self.graph.edges[:, 0], self.graph.edges[:, 1]]
        return squareform(np.ascontiguousarray(G), checks=False)

    def _sums_over_rows(self, V, X):
        """Σᵢ vᵢₐxᵢ_b for each edge from a to b, some edges at a time."""
        sums = np.empty(self.n_pairs, dtype=X.dtype)
        step = max(_BLOCK_ENTRIES // max(len(X), 1), 1)
        for start in range(0, self.n_pairs, step):
            part = slice(start, start + step)
            first, second = self.graph.edges[part].T
            sums[part] = np.einsum("ne,ne->e", V[:, first], X[:, second])
        return sums


class _Inputs:
    """Of which J the inputs of chains are, that J as a matrix, and the inputs XJ themselves."""

    def __init__(self, values, matrix, inputs):
        self.values, self.matrix, self.inputs = values, matrix, inputs

    def is_of(self, values):
        return self.inputs is not None and np.array_equal(self.values, values)

    def __getstate__(self):
        # Computed anew rather than kept on paper: it is larger than θ.
        return dict.fromkeys(vars(self))
