"""What the solvers solve."""

import threading

import numpy as np
from scipy import sparse

from sklvm.kernels import ActiveSetCoder, power_penalty
from sklvm.sparse_coding.dictionaries import RestrictedDictionary

__all__ = ["CodingProblem"]


class CodingProblem:
    """min_z ½‖x − zD‖² + α penalty(z), or under a constraint, for one dictionary and all x.

    The quadratic part of a penalty joins the Gram matrix: it is a dictionary of further features,
    at which x is zero. What is left is ½ z G zᵀ − c zᵀ + Σ_k bound_k |z_k|^q, c = x Dᵀ.
    Several threads may share one: what is derived from the dictionary is computed once.

    Parameters
    ----------
    dictionary : object
        A dictionary, see :mod:`sklvm.sparse_coding.dictionaries`.
    penalty : PowerPenalty or Constraint
    alpha : float
    positive : bool
    n_threads : int or None

    Attributes
    ----------
    bound : ndarray of shape (n_components,) or None
        None under a constraint without weights.
    exponent : float
        q.
    ridge : ndarray of shape (n_components,) or None
        What the quadratic part of the penalty adds to the diagonal of D Dᵀ.
    rank : int
        What the rank of G cannot exceed.
    """

    def __init__(self, dictionary, penalty, alpha, positive, n_threads=None):
        self.dictionary = dictionary
        self.penalty, self.alpha = penalty, alpha
        self.positive, self.n_threads = positive, n_threads
        n_weights = getattr(dictionary, "n_weights", self.n_components)
        self.bound, self.ridge = (
            values if values is None else np.repeat(values, self.n_components // n_weights)
            for values in penalty.bounds(alpha, n_weights)
        )
        self.exponent = penalty.exponent
        self.rank = min(self.n_components, dictionary.n_features)
        if self.ridge is not None:
            self.rank = self.n_components
        self._computed, self._lock = {}, threading.RLock()

    @property
    def n_components(self):
        return self.dictionary.n_components

    @property
    def has_gram(self):
        return hasattr(type(self.dictionary), "gram")

    @property
    def gram(self):
        """G: that of the atoms, and the ridge of an elastic net."""
        return self._once("gram", self._compute_gram)

    @property
    def diagonal(self):
        """G_kk."""
        return self._once("diagonal", self._compute_diagonal)

    @property
    def lipschitz(self):
        """Largest eigenvalue of G (with unequal ridges, a bound of it)."""
        return self._once("lipschitz", self._compute_lipschitz)

    @property
    def active_set(self):
        """What the active-set solver needs, for the convex penalties."""
        return self._once("active_set", self._prepare_active_set)

    def normal(self, Z, known=None):
        """z G: one product with G, or two with the dictionary where that is less or all there is.

        Parameters
        ----------
        Z : ndarray of float64, shape (n, n_components)
        known : ndarray of bool, shape (n, n_features), default=None
            The features that count in each row, each of which then has a G of its own; None: all.

        Returns
        -------
        products : ndarray of shape (n, n_components)
        """
        if known is None and self.has_gram and self.n_components <= 2 * self.dictionary.n_features:
            return Z @ self.gram
        reconstruction = self.dictionary.synthesize(Z)
        if known is not None:
            reconstruction *= known
        products = self.dictionary.correlate(reconstruction)
        if self.ridge is not None:
            products += self.ridge * Z
        return products

    def objective(self, X, codes):
        """½‖x − zD‖² + penalty of each row, without differences of large numbers.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_features)
            NaN: does not count.
        codes : ndarray or CSR array of float64, shape (n, n_components)

        Returns
        -------
        objectives : ndarray of shape (n,)
        """
        residual = X - self.dictionary.synthesize(codes)
        residual[np.isnan(X)] = 0
        values = 0.5 * np.einsum("ij,ij->i", residual, residual)
        if self.bound is None:
            return values
        Z = codes.toarray() if sparse.issparse(codes) else codes
        if self.ridge is not None:
            values += 0.5 * (Z * Z) @ self.ridge
        return values + power_penalty(Z, self.bound, self.exponent)

    def on_features(self, observed):
        """The problem of samples that are known at some features only."""
        restrict = getattr(self.dictionary, "on_features", None)
        dictionary = (
            RestrictedDictionary(self.dictionary, observed)
            if restrict is None
            else restrict(observed)
        )
        return CodingProblem(dictionary, self.penalty, self.alpha, self.positive, self.n_threads)

    def _once(self, name, compute):
        with self._lock:
            if name not in self._computed:
                self._computed[name] = compute()
        return self._computed[name]

    def _compute_gram(self):
        if self.ridge is None:
            return self.dictionary.gram
        gram = self.dictionary.gram.copy()
        np.einsum("kk->k", gram)[...] += self.ridge
        return gram

    def _compute_diagonal(self):
        squares = self.dictionary.norms() ** 2
        return squares if self.ridge is None else squares + self.ridge

    def _compute_lipschitz(self):
        largest = self.dictionary.lipschitz
        return largest if self.ridge is None else largest + float(self.ridge.max())

    def _prepare_active_set(self):
        return ActiveSetCoder(
            self.dictionary.atoms,
            self.gram,
            self.bound,
            positive=self.positive,
            rank=self.rank,
            ridge=self.ridge,
        )
