"""What estimators of sparse codes share: all but where the dictionary comes from."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklvm._compat import Interval, StrOptions
from sklvm._warnings import warn
from sklvm.base import has_finite_squares
from sklvm.diagnostics import Diagnosis, empty_codes, some_rows
from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._dictionary_model import DictionaryModel
from sklvm.sparse_coding._relative_alpha import RelativeAlpha
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.sparse_coding.penalties import PENALTIES, Constraint, PowerPenalty
from sklvm.sparse_coding.solvers import SOLVER_NAMES

__all__ = ["CodingInfo", "CodingModel", "unfinished_codes", "warn_of_unfinished"]

# Rows whose codes are looked at after a fit, and how well they are found for that.
DIAGNOSED_ROWS, DIAGNOSED_TOL = 100, 1e-3


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

    A subclass has a ``fit`` that sets ``components_`` and ``_coding``, the options to code by. In
    ``_tol_names`` it says what it calls those that end the coding of a row.
    """

    _tol_names = ("tol", "max_iter")
    _shorthands = {"penalty": PENALTIES, "alpha": {"auto": RelativeAlpha}}
    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"}), RelativeAlpha],
        "penalty": [StrOptions(set(PENALTIES)), PowerPenalty, Constraint],
        "positive": ["boolean"],
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
        results = self._encode(X, codes)
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
            −∞ for a row so far away that its squares overflow.

        Warns
        -----
        ConvergenceWarning
            If some samples do not reach the tolerance.
        """
        X = self._check_X(X)
        scores = np.full(len(X), -np.inf, dtype=X.dtype)
        if (near := has_finite_squares(X)).any():
            rows = X if near.all() else X[near]
            scores[near] = -self._encode_rows(rows, None, sparse_output=True).objectives
        return scores

    def _code_diagnoses(self, X):
        """Whether the penalty leaves anything of the codes of some rows of X."""
        rows = some_rows(X, DIAGNOSED_ROWS)
        if not (isinstance(self._coding.penalty, PowerPenalty) and np.nan_to_num(rows).any()):
            return {}
        problem, solver = self._coding.problem(DenseDictionary(self.components_))
        results = encode_rows(
            problem,
            solver,
            rows,
            None,
            tol=DIAGNOSED_TOL,
            max_iter=self._coding.max_iter,
            sparse_output=True,
        )
        return {"empty_codes": empty_codes(results.codes)}

    def _encode(self, X, codes):
        X = self._check_X(X)
        if codes is not None:
            codes = self._check_codes(codes, "codes")
            if codes.shape[0] != len(X):
                raise ValueError(
                    f"codes must have one row for each of X's {len(X)}, got {codes.shape[0]}."
                )
        return self._encode_rows(X, codes, sparse_output=self._coding.sparse_output)

    def _encode_rows(self, X, codes, *, sparse_output):
        coding = self._coding
        problem, solver = coding.problem(DenseDictionary(self.components_))
        results = encode_rows(
            problem,
            solver,
            X,
            codes,
            tol=coding.tol,
            max_iter=coding.max_iter,
            sparse_output=sparse_output,
        )
        warn_of_unfinished(results, coding, self._tol_names)
        return results


def warn_of_unfinished(results, coding, names):
    """Warn where certificates exceed ``coding.tol``; `names` is what users call that and
    ``coding.max_iter``."""
    if message := unfinished_codes(results.certificates, coding, names).message:
        warn(message, ConvergenceWarning)


def unfinished_codes(certificates, coding, names):
    """The greatest certificate, as a ``Diagnosis``: a problem where it exceeds ``coding.tol``."""
    unfinished = ~(certificates <= coding.tol)
    tol, max_iter = names
    return Diagnosis.of(
        certificates.max(initial=0.0),
        coding.tol > 0 and unfinished.any(),
        f"{unfinished.sum()} of {len(unfinished)} samples did not reach {tol}={coding.tol} "
        f"in {max_iter}={coding.max_iter} iterations; the worst is at "
        f"{certificates.max(initial=0.0):.3g}.",
    )
