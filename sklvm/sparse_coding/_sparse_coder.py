"""Sparse codes on a given dictionary."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sklvm._compat import Interval, StrOptions, _fit_context
from sklvm.base import LatentVariableModel
from sklvm.parameter_objects import resolve
from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._problem import CodingProblem
from sklvm.sparse_coding.penalties import PENALTIES, Constraint, PowerPenalty
from sklvm.sparse_coding.solvers import SOLVER_NAMES, select_solver

__all__ = ["CodingInfo", "SparseCoder"]

_FLOATS = [np.float64, np.float32]


@dataclass(frozen=True)
class CodingInfo:
    """How good codes are, one value a sample.

    Attributes
    ----------
    dual_gap_ : ndarray of shape (n_samples,)
        The certificate that `tol` bounds. For convex penalties the duality gap relative to the
        objective, or to 10⁻⁶ · ½‖x‖² where that is greater, and for unpenalised coefficients also
        their max |(x − zD)Dᵀ| relative to max |x Dᵀ|. For others the proximal residual
        max |z − prox(z + (x − zD)Dᵀ / L)|, relative to the larger of max |z| and max |x Dᵀ| / L.
        Under a constraint the optimality of the coefficients on their support.
    objective_ : ndarray of shape (n_samples,)
        J(x, z).
    n_iter_ : ndarray of int, shape (n_samples,)
        Iterations of the solver.
    """

    dual_gap_: np.ndarray
    objective_: np.ndarray
    n_iter_: np.ndarray


class SparseCoder(LatentVariableModel):
    """Sparse codes z(x) = argmin_z J(x, z), J = ½‖x − zD‖² + α · penalty(z), on a given dictionary.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features), default=None
        D, its rows the atoms, of any norm; None: the identity of the data's width, for which codes
        are shrunken data.
    alpha : float, default=1.0
        α, the strength of the penalty. With l1, codes are zero from max |x Dᵀ| on.
    penalty : {"l1", "l0", "lq", "elastic_net", "at_most_nonzero", "at_most_residual"} or object, \
            default="l1"
        A short name, or an object such as ``Lq(2 / 3)`` or ``L1(weights=...)``. The last two are
        constraints, in which `alpha` does not enter.
    positive : bool, default=False
        Whether z ≥ 0. Not with a constraint.
    solver : {"auto", "active_set", "coordinate_descent", "fista", "ista", "omp"}, default="auto"
        "active_set" (for convex penalties, and their default) minimises directly over a support
        that violators join in blocks. "coordinate_descent" is the default of non-convex penalties.
        "fista" and "ista" take one matrix product an iteration for all rows, and suit dense codes.
        "omp" is orthogonal matching pursuit, for constraints.
    tol : float, default=1e-6
        Greatest certificate with which a sample is done; see :class:`CodingInfo`.
    max_iter : int, default=10000
        Greatest number of iterations a sample: rounds, epochs or steps of the solver.
    sparse_output : bool, default=False
        Whether ``transform`` returns a CSR array.
    n_jobs : int, default=None
        Number of threads, −1 for all CPUs; None: what OpenMP and joblib allow. Codes are the same.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        D.
    score_normalized_ : bool
        False: ``score_samples`` is not a normalised log-density.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    sklearn.decomposition.SparseCoder : Codes by LARS, coordinate descent and matching pursuit.

    Notes
    -----
    NaN is a missing entry: such a sample is coded on the features that are known, and
    ``inverse_transform`` fills in the others. Samples that lack the same features share their work.

    Penalties that are not convex have many local solutions. Their solvers start from the best code
    of the orthogonal matching pursuit path and never end at a worse one.

    References
    ----------
    Chen, Donoho and Saunders (1998), "Atomic decomposition by basis pursuit". Lee, Battle, Raina
    and Ng (2007), "Efficient sparse coding algorithms". Beck and Teboulle (2009), "A fast iterative
    shrinkage-thresholding algorithm for linear inverse problems". Rubinstein, Zibulevsky and Elad
    (2008), "Efficient implementation of the K-SVD algorithm using batch orthogonal matching
    pursuit".

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import SparseCoder
    >>> D = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> coder = SparseCoder(D, alpha=0.1).fit(D)
    >>> coder.transform([[0.6, 0.8]]).round(3)
    array([[0. , 0. , 0.9]])
    >>> Z, info = coder.encode([[0.6, 0.8]], return_info=True)
    >>> bool(info.dual_gap_.max() <= 1e-6)
    True
    """

    score_normalized_ = False
    _shorthands = {"penalty": PENALTIES}
    _parameter_constraints: dict = {
        "dictionary": ["array-like", None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions(set(PENALTIES)), PowerPenalty, Constraint],
        "positive": ["boolean"],
        "solver": [StrOptions(set(SOLVER_NAMES))],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "sparse_output": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        dictionary=None,
        *,
        alpha=1.0,
        penalty="l1",
        positive=False,
        solver="auto",
        tol=1e-6,
        max_iter=10_000,
        sparse_output=False,
        n_jobs=None,
    ):
        self.dictionary = dictionary
        self.alpha = alpha
        self.penalty = penalty
        self.positive = positive
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Check the dictionary against the data; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, of which only the width and names of the features matter.
        y : None
            Ignored.

        Returns
        -------
        self : SparseCoder

        Raises
        ------
        ValueError
            If the dictionary has another number of features, or penalty, solver and `positive` do
            not go together.
        """
        X = validate_data(self, X, dtype=_FLOATS, ensure_all_finite="allow-nan")
        if self.dictionary is None:
            components = np.eye(X.shape[1], dtype=X.dtype)
        else:
            components = check_array(self.dictionary, dtype=_FLOATS, input_name="dictionary")
        if components.shape[1] != X.shape[1]:
            raise ValueError(
                f"dictionary must have X's number of features, {X.shape[1]}, got shape "
                f"{components.shape}."
            )
        self._problem_and_solver(components)
        self.components_ = components
        self._n_features_out = len(components)
        return self

    def transform(self, X):
        """Codes of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.

        Returns
        -------
        Z : ndarray or CSR array of shape (n_samples, n_components)

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach `tol`.
        """
        return self.encode(X)

    def encode(self, X, *, codes=None, return_info=False):
        """Codes of X, from given codes if there are some, and how good they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing.
        codes : array-like or sparse matrix of shape (n_samples, n_components), default=None
            Codes to start from; matching pursuit does not use them.
        return_info : bool, default=False
            Whether to return the certificates too.

        Returns
        -------
        Z : ndarray or CSR array of shape (n_samples, n_components)
        info : CodingInfo
            If `return_info`.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach `tol`.
        """
        results = self._encode(X, codes, self.sparse_output)
        if not return_info:
            return results.codes
        return results.codes, CodingInfo(results.certificates, results.objectives, results.n_iter)

    def inverse_transform(self, Z):
        """Reconstruct: zD.

        Parameters
        ----------
        Z : array-like or sparse matrix of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        Z = check_array(Z, dtype=_FLOATS, accept_sparse="csr", input_name="Z")
        self._check_width(Z, "Z")
        return Z @ self.components_.astype(Z.dtype, copy=False)

    def score_samples(self, X):
        """−min_z J(x, z) of each row: greater where a few atoms explain it.

        That is the logarithm of an unnormalised density, at the most probable code. It is **not
        comparable across** `alpha`, penalties or dictionaries, whose normalisers differ.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; NaN: missing, for which J has the known features only.

        Returns
        -------
        scores : ndarray of shape (n_samples,)

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach `tol`.
        """
        results = self._encode(X, None, sparse_output=True)
        return -results.objectives.astype(results.codes.dtype)

    def _encode(self, X, codes, sparse_output):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False, ensure_all_finite="allow-nan")
        if codes is not None:
            codes = check_array(codes, dtype=_FLOATS, accept_sparse="csr", input_name="codes")
            self._check_width(codes, "codes")
            if codes.shape[0] != len(X):
                raise ValueError(
                    f"codes must have one row for each of X's {len(X)}, got {codes.shape[0]}."
                )
        problem, solver = self._problem_and_solver(self.components_)
        results = encode_rows(
            problem,
            solver,
            X,
            codes,
            tol=self.tol,
            max_iter=self.max_iter,
            sparse_output=sparse_output,
        )
        self._warn_of_unfinished(results)
        return results

    def _problem_and_solver(self, components):
        penalty = resolve(self.penalty, PENALTIES, "penalty", type(self).__name__)
        if self.positive and isinstance(penalty, Constraint):
            raise ValueError(f"positive=True does not go with penalty={penalty!r}, a constraint.")
        solver = select_solver(self.solver, penalty)
        n_threads = None if self.n_jobs is None else effective_n_jobs(self.n_jobs)
        return CodingProblem(components, penalty, self.alpha, self.positive, n_threads), solver

    def _check_width(self, Z, name):
        if Z.shape[1] != len(self.components_):
            raise ValueError(
                f"{name} has {Z.shape[1]} features, but {type(self).__name__}'s codes have "
                f"{len(self.components_)}."
            )

    def _warn_of_unfinished(self, results):
        unfinished = ~(results.certificates <= self.tol)
        if self.tol > 0 and unfinished.any():
            warnings.warn(
                f"{unfinished.sum()} of {len(unfinished)} samples did not reach tol={self.tol} in "
                f"max_iter={self.max_iter} iterations; the worst is at "
                f"{results.certificates.max():.3g}.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
