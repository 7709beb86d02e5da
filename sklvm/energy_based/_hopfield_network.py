"""Hopfield networks: couplings that store given patterns, and recall from parts of them."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions, _fit_context
from sklvm._warnings import warn
from sklvm.base import FLOATS, FloatingPointMixin, PackageMixin, check_data
from sklvm.energy_based._masks import check_free
from sklvm.kernels import settle_sites

__all__ = ["HopfieldNetwork"]

# Of a pattern of norm √d, what is left of it outside of the span of the others: less is rounding.
_LEAST_NORM = 1e-6


class HopfieldNetwork(
    FloatingPointMixin, PackageMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Hopfield network: an associative memory of spins s_j = ±1. ::

        E(s) = −½ sᵀJs,        J symmetric with diagonal 0 [1]_.

    ``fit`` stores the rows of X as patterns ξ. ``recall`` starts at given rows and visits the units
    one after the other: each takes the sign of its input (Js)_j, or stays where that is 0, until
    none changes. Every change lowers E, so that recall ends at a local minimum; near the patterns
    there is one, as long as they are few. With a pattern, its negative is stored.

    Parameters
    ----------
    rule : {"hebbian", "storkey", "pseudo_inverse"}, default="hebbian"
        How patterns become couplings. "hebbian" is J = Σ ξξᵀ/d, which recalls up to 0.138 d random
        patterns with few errors [2]_. "storkey" takes off what the patterns before already say of
        each new one [3]_. "pseudo_inverse" is the projection onto the span of the patterns, which
        makes each a minimum up to nearly d/2 of them, correlated ones too [4]_.
    states : {"bits", "spin"}, default="bits"
        Values of the units: 0 and 1, or −1 and 1.
    binarize : float, default=None
        Threshold for data that are not binary: entries above it are 1, the others 0 (spins: −1).
        None: they have to be states.
    recall_max_iter : int, default=100
        Visits of a unit at most, in recall; a few suffice.

    Attributes
    ----------
    coupling_ : ndarray of shape (n_features, n_features)
        J, of spins, whatever `states` is.
    n_patterns_ : int
        Patterns stored.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    BoltzmannMachine : Learns J as a density of the data; its ``modes`` recalls.

    Notes
    -----
    By the Hebbian rule inputs are integers over d, and often 0: recall keeps them as integers, so
    that ties are ties in any precision.

    References
    ----------
    .. [1] Hopfield, "Neural networks and physical systems with emergent collective computational
       abilities", PNAS 79 (1982).
    .. [2] Amit, Gutfreund, Sompolinsky, "Storing infinite numbers of patterns in a spin-glass model
       of neural networks", Physical Review Letters 55 (1985).
    .. [3] Storkey, "Increasing the capacity of a Hopfield network without sacrificing
       functionality", ICANN 1997.
    .. [4] Kanter, Sompolinsky, "Associative recall of memory without errors", Physical Review A 35
       (1987).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import HopfieldNetwork
    >>> patterns = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0]])
    >>> network = HopfieldNetwork().fit(patterns)
    >>> network.recall([[0, 1, 1, 1, 0, 0, 0, 0]])
    array([[1., 1., 1., 1., 0., 0., 0., 0.]])
    """

    _parameter_constraints: dict = {
        "rule": [StrOptions({"hebbian", "storkey", "pseudo_inverse"})],
        "states": [StrOptions({"bits", "spin"})],
        "binarize": [Interval(Real, None, None, closed="neither"), None],
        "recall_max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, rule="hebbian", *, states="bits", binarize=None, recall_max_iter=100):
        self.rule = rule
        self.states = states
        self.binarize = binarize
        self.recall_max_iter = recall_max_iter

    # -- storing ----------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Store patterns.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns.
        y : None
            Ignored.

        Returns
        -------
        self : HopfieldNetwork

        Raises
        ------
        ValueError
            For values that are no states.
        """
        spins = self._spins(X, self.get_params(deep=False), reset=True)
        d = spins.shape[1]
        self._params = self.get_params(deep=False)
        self.coupling_, self._diagonal = np.zeros((d, d), dtype=spins.dtype), np.zeros(d)
        self.n_patterns_ = 0
        return self._store(spins)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Store more patterns; the result is that of all of them at once.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns.
        y : None
            Ignored.

        Returns
        -------
        self : HopfieldNetwork

        Raises
        ------
        ValueError
            For values that are no states.
        """
        if not hasattr(self, "coupling_"):
            return self.fit(X)
        return self._store(self._spins(X, self._params).astype(self.coupling_.dtype, copy=False))

    def _store(self, spins):
        J, d = self.coupling_.astype(np.float64), spins.shape[1]
        spins = spins.astype(np.float64)
        if self._params["rule"] == "hebbian":
            J = (np.rint(J * d) + spins.T @ spins) / d
        elif self._params["rule"] == "storkey":
            for xi in spins:
                # ξ_i ξ_j − ξ_i h_ji − h_ij ξ_j with h_ij = Σ_k J_ik ξ_k over all k but i and j.
                h = J @ xi
                J += (2 * J + np.outer(xi - h, xi - h) - np.outer(h, h)) / d
                np.fill_diagonal(J, 0)
        else:
            np.fill_diagonal(J, self._diagonal)
            _, norms, directions = np.linalg.svd(spins - spins @ J, full_matrices=False)
            directions = directions[norms > _LEAST_NORM * np.sqrt(d)]
            J += directions.T @ directions
            self._diagonal = J.diagonal().copy()
        np.fill_diagonal(J, 0)
        self.coupling_ = J.astype(self.coupling_.dtype)
        self.n_patterns_ += len(spins)
        return self

    # -- recall -----------------------------------------------------------------------------------

    def recall(self, X, free=None):
        """Where the network settles from given rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Starts.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features), default=None
            The units that may change; the others are clamped. None: all.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows that no change of a single free unit gives a lower energy.

        Raises
        ------
        ValueError
            For values that are no states, and for a mask of another shape.

        Warns
        -----
        ConvergenceWarning
            Where `recall_max_iter` ended recall.
        """
        check_is_fitted(self)
        spins = self._spins(X, self._params)
        dtype, d = spins.dtype, spins.shape[1]
        free = check_free(free, spins.shape)
        J = self.coupling_.astype(dtype, copy=False)
        if self._params["rule"] == "hebbian":
            # Sums of at most n_patterns × d signs, which single precision has up to 2²⁴.
            J = np.rint(J * d)
        has_settled = settle_sites(
            spins,
            spins @ J,
            J,
            np.zeros(d, dtype=dtype),
            low=-1,
            free=free,
            max_sweeps=self._params["recall_max_iter"],
        )
        if not has_settled.all():
            warn(
                f"{(~has_settled).sum()} of {len(spins)} rows have not settled in "
                f"recall_max_iter={self._params['recall_max_iter']} visits of each unit.",
                ConvergenceWarning,
            )
        return spins if self._params["states"] == "spin" else (spins + 1) / 2

    def transform(self, X):
        """The recalled patterns: ``recall`` with all units free.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Starts.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Where the network settles.
        """
        return self.recall(X)

    def energy(self, X):
        """E(s) = −½ sᵀJs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of states.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        spins = self._spins(X, self._params)
        J = self.coupling_.astype(spins.dtype, copy=False)
        return -0.5 * np.einsum("ij,ij->i", spins @ J, spins)

    def _spins(self, X, params, reset=False):
        X = check_data(self, X, dtype=FLOATS, order="C", reset=reset)
        if params["binarize"] is not None:
            return np.where(X > params["binarize"], 1, -1).astype(X.dtype)
        low = 0 if params["states"] == "bits" else -1
        if np.any((X != 1) & (X != low)):
            raise ValueError(
                f"With states={params['states']!r} X must hold {low} and 1, got values from "
                f"{X.min():g} to {X.max():g}. Set states or binarize=threshold."
            )
        return 2 * X - 1 if low == 0 else X.copy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
