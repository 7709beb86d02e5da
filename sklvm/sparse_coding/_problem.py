"""What the solvers solve."""

from functools import cached_property

import numpy as np

from sklvm.sparse_coding.penalties import Constraint

__all__ = ["CodingProblem"]


class CodingProblem:
    """min_z ½‖x − zD‖² + α penalty(z), or under a constraint, for one dictionary and all x.

    The quadratic part of a penalty joins the Gram matrix: it is a dictionary of further features,
    at which x is zero. What is left is ½ z G zᵀ − c zᵀ + Σ_k bound_k |z_k|^q, c = x Dᵀ.

    Parameters
    ----------
    dictionary : ndarray of shape (n_components, n_features)
    penalty : PowerPenalty or Constraint
    alpha : float
    positive : bool
    n_threads : int or None

    Attributes
    ----------
    dictionary : ndarray of float64, shape (n_components, n_features)
    bound : ndarray of shape (n_components,) or None
        None under a constraint.
    exponent : float
        q.
    rank : int
        What the rank of G cannot exceed.
    """

    def __init__(self, dictionary, penalty, alpha, positive, n_threads=None):
        self.dictionary = np.ascontiguousarray(dictionary, dtype=np.float64)
        self.penalty, self.alpha = penalty, alpha
        self.positive, self.n_threads = positive, n_threads
        self.rank = min(self.dictionary.shape)
        self._ridge = None
        if isinstance(penalty, Constraint):
            self.bound, self.exponent = None, 0.0
            return
        strength = penalty.weigh(alpha, len(self.dictionary))
        self.bound, self.exponent = penalty.slope * strength, penalty.exponent
        if penalty.curvature > 0:
            self._ridge = penalty.curvature * strength
            self.rank = len(self.dictionary)

    @cached_property
    def gram(self):
        """G: that of the atoms, and the ridge of an elastic net."""
        gram = self.dictionary @ self.dictionary.T
        if self._ridge is not None:
            np.einsum("kk->k", gram)[...] += self._ridge
        return gram

    @cached_property
    def lipschitz(self):
        """Largest eigenvalue of G (with unequal ridges, a bound of it)."""
        D = self.dictionary
        if not D.size:
            return 0.0
        # The smaller of the two products has the same largest eigenvalue.
        product = D.T @ D if D.shape[0] > D.shape[1] else D @ D.T
        largest = float(np.linalg.eigvalsh(product)[-1])
        return largest if self._ridge is None else largest + float(self._ridge.max())

    def on_features(self, observed):
        """The problem of samples that are known at some features only."""
        return CodingProblem(
            self.dictionary[:, observed], self.penalty, self.alpha, self.positive, self.n_threads
        )
