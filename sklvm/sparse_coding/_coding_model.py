"""What estimators of sparse codes share: all but where the dictionary comes from."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sklvm._compat import Interval, StrOptions
from sklvm.settings import resolve
from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._dictionary_model import FLOATS, DictionaryModel
from sklvm.sparse_coding._problem import CodingProblem
from sklvm.sparse_coding.penalties import PENALTIES, Constraint, PowerPenalty
from sklvm.sparse_coding.solvers import SOLVER_NAMES, select_solver

__all__ = ["CodingInfo", "CodingModel"]


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
        For basis pursuit the duality gap relative to Σ_k w_k |z_k|, or what ‖x − zD‖ exceeds its
        bound by, relative to ‖x‖. Under the other constraints the optimality of the coefficients
        on their support.
    objective_ : ndarray of shape (n_samples,)
        J(x, z); Σ_k w_k |z_k| for basis pursuit, ½‖x − zD‖² under the other constraints.
    n_iter_ : ndarray of int, shape (n_samples,)
        Iterations of the solver.
    """

    dual_gap_: np.ndarray
    objective_: np.ndarray
    n_iter_: np.ndarray


class CodingModel(DictionaryModel):
    """Base of the estimators that code data by J = ½‖x − zD‖² + α penalty(z).

    A subclass has a ``fit`` that sets ``components_``. In ``_coding_names`` it says how it calls
    the parameters of the coding that others may call otherwise.
    """

    _coding_names = {"positive": "positive", "tol": "tol", "max_iter": "max_iter"}
    _shorthands = {"penalty": PENALTIES}
    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions(set(PENALTIES)), PowerPenalty, Constraint],
        "solver": [StrOptions(set(SOLVER_NAMES))],
        "sparse_output": ["boolean"],
        "n_jobs": [Integral, None],
    }

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
            If some samples do not reach the tolerance.
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
            If some samples do not reach the tolerance.
        """
        results = self._encode(X, codes, self.sparse_output)
        if not return_info:
            return results.codes
        return results.codes, CodingInfo(results.certificates, results.objectives, results.n_iter)

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
            If some samples do not reach the tolerance.
        """
        results = self._encode(X, None, sparse_output=True)
        return -results.objectives.astype(results.codes.dtype)

    def _encode(self, X, codes, sparse_output):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False, ensure_all_finite="allow-nan")
        if codes is not None:
            codes = check_array(codes, dtype=FLOATS, accept_sparse="csr", input_name="codes")
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
            tol=self._coding_parameter("tol"),
            max_iter=self._coding_parameter("max_iter"),
            sparse_output=sparse_output,
        )
        self._warn_of_unfinished(results)
        return results

    def _problem_and_solver(self, components):
        penalty = resolve(self.penalty, PENALTIES, "penalty", type(self).__name__)
        positive = self._coding_parameter("positive")
        if positive and isinstance(penalty, Constraint) and not penalty.allows_positive:
            name = self._coding_names["positive"]
            raise ValueError(f"{name}=True does not go with penalty={penalty!r}, a constraint.")
        solver = select_solver(self.solver, penalty)
        n_threads = None if self.n_jobs is None else effective_n_jobs(self.n_jobs)
        return CodingProblem(components, penalty, self.alpha, positive, n_threads), solver

    def _coding_parameter(self, name):
        return getattr(self, self._coding_names[name])

    def _warn_of_unfinished(self, results):
        tol, names = self._coding_parameter("tol"), self._coding_names
        unfinished = ~(results.certificates <= tol)
        if tol > 0 and unfinished.any():
            warnings.warn(
                f"{unfinished.sum()} of {len(unfinished)} samples did not reach {names['tol']}="
                f"{tol} in {names['max_iter']}={self._coding_parameter('max_iter')} iterations; "
                f"the worst is at {results.certificates.max():.3g}.",
                ConvergenceWarning,
                stacklevel=4,
            )
