"""What the solvers solve."""

import threading

import numpy as np

from sklvm.kernels import ActiveSetCoder
from sklvm.sparse_coding.penalties import Constraint

__all__ = ["CodingProblem"]


class CodingProblem:
    """min_z ½‖x − zD‖² + α penalty(z), or under a constraint, for one dictionary and all x.

    The quadratic part of a penalty joins the Gram matrix: it is a dictionary of further features,
    at which x is zero. What is left is ½ z G zᵀ − c zᵀ + Σ_k bound_k |z_k|^q, c = x Dᵀ.
    Several threads may share one: what is derived from the dictionary is computed once.

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
        None under a constraint without weights.
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
        self._computed, self._lock = {}, threading.RLock()
        if isinstance(penalty, Constraint):
            self.bound, self.exponent = penalty.weigh(len(self.dictionary)), penalty.exponent
            return
        strength = penalty.weigh(alpha, len(self.dictionary))
        self.bound, self.exponent = penalty.slope * strength, penalty.exponent
        if penalty.curvature > 0:
            self._ridge = penalty.curvature * strength
            self.rank = len(self.dictionary)

    @property
    def gram(self):
        """G: that of the atoms, and the ridge of an elastic net."""
        return self._once("gram", self._compute_gram)

    @property
    def lipschitz(self):
        """Largest eigenvalue of G (with unequal ridges, a bound of it)."""
        return self._once("lipschitz", self._compute_lipschitz)

    @property
    def active_set(self):
        """What the active-set solver needs, for the convex penalties."""
        return self._once("active_set", self._prepare_active_set)

    def _once(self, name, compute):
        with self._lock:
            if name not in self._computed:
                self._computed[name] = compute()
        return self._computed[name]

    def _compute_gram(self):
        with np.errstate(over="ignore", invalid="ignore"):
            gram = self.dictionary @ self.dictionary.T
        if not np.isfinite(gram).all():
            raise ValueError(
                f"The dictionary has entries of up to {np.abs(self.dictionary).max():.3g}, and "
                "products of its atoms overflow. Scale the dictionary."
            )
        if self._ridge is not None:
            np.einsum("kk->k", gram)[...] += self._ridge
        return gram

    def _compute_lipschitz(self):
        D = self.dictionary
        if not D.size:
            return 0.0
        # The smaller of the two products has the same largest eigenvalue.
        product = D.T @ D if D.shape[0] > D.shape[1] else D @ D.T
        largest = float(np.linalg.eigvalsh(product)[-1])
        return largest if self._ridge is None else largest + float(self._ridge.max())

    def _prepare_active_set(self):
        return ActiveSetCoder(
            self.dictionary, self.gram, self.bound, positive=self.positive, rank=self.rank
        )

    def on_features(self, observed):
        """The problem of samples that are known at some features only."""
        return CodingProblem(
            self.dictionary[:, observed], self.penalty, self.alpha, self.positive, self.n_threads
        )
