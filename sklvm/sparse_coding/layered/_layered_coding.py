"""How rows are coded on all layers."""

from dataclasses import dataclass, fields

import numpy as np
from joblib import effective_n_jobs

from sklvm.kernels import effective_n_threads, map_on_threads
from sklvm.sparse_coding.layered._feasible_codes import feasible_codes, violations
from sklvm.sparse_coding.layered._holistic_problem import HolisticProblem
from sklvm.sparse_coding.layered._holistic_solvers import solve_holistic
from sklvm.sparse_coding.layered._layer_stack import one_per_layer
from sklvm.sparse_coding.layered._layerwise import pursued_codes, thresholded_codes

__all__ = ["METHODS", "LayeredCodingInfo", "LayeredCodingOptions", "encode_layers"]

METHODS = ("thresholding", "pursuit", "holistic", "constrained")

# Numbers in the codes of a block of rows: 4 MB.
_BLOCK = 2**19


@dataclass(frozen=True)
class LayeredCodingInfo:
    """How good layered codes are, one row or value a sample.

    Attributes
    ----------
    residual_norms_ : ndarray of shape (n_samples, n_layers)
        ‖z_{l−1} − z_l D_l‖ of each layer, z_0 = x.
    l1_norms_ : ndarray of shape (n_samples, n_layers)
        ‖z_l‖₁.
    objective_ : ndarray of shape (n_samples,)
        Of the holistic problem; for other methods the sum over layers of
        ½‖z_{l−1} − z_l D_l‖² + α_l ‖z_l‖₁, for "constrained" without the penalties.
    dual_gap_ : ndarray of shape (n_samples,) or (n_samples, n_layers) or None
        Duality gap relative to the objective, of the holistic problem or of the pursuit of each
        layer. For non-negative codes of the holistic problem it is at least by how much codes of
        lower layers are negative, relative to the greatest of them. None for other methods.
    n_iter_ : ndarray of int, shape (n_samples,) or (n_samples, n_layers) or None
        Iterations; None for thresholding.
    violation_ : ndarray of shape (n_samples,) or None
        The greatest part by which a bound is exceeded, where there are bounds; 0: none is.
    is_feasible_ : ndarray of bool, shape (n_samples,) or None
        Whether that is at most `tol`: these codes keep the bounds.
    is_infeasible_ : ndarray of bool, shape (n_samples,) or None
        Whether it is proved that no codes keep them, by "constrained" only. Neither: not known.
    """

    residual_norms_: np.ndarray
    l1_norms_: np.ndarray
    objective_: np.ndarray
    dual_gap_: np.ndarray = None
    n_iter_: np.ndarray = None
    violation_: np.ndarray = None
    is_feasible_: np.ndarray = None
    is_infeasible_: np.ndarray = None

    @classmethod
    def stack(cls, parts):
        """One of all rows, of those of blocks of rows."""
        columns = {f.name: [getattr(part, f.name) for part in parts] for f in fields(cls)}
        return cls(
            **{
                name: None if values[0] is None else np.concatenate(values)
                for name, values in columns.items()
            }
        )


@dataclass(frozen=True)
class LayeredCodingOptions:
    """Method, strengths and bounds, which an estimator fixes when it is fitted.

    Attributes
    ----------
    method : str
    alphas : ndarray of shape (n_layers,)
    positive : bool
    max_residual, max_norm : ndarray of shape (n_layers,) or None
    solver : str
    tol, max_iter : float, int
    output : str
    n_jobs : int or None
    """

    method: str
    alphas: np.ndarray
    positive: bool
    max_residual: np.ndarray | None
    max_norm: np.ndarray | None
    solver: str
    tol: float
    max_iter: int
    output: str
    n_jobs: int | None

    @classmethod
    def of(cls, estimator, n_layers, *, tol, max_iter):
        """Those of an estimator's parameters.

        Raises
        ------
        ValueError
            If there are not as many strengths or bounds as layers, or some are out of range.
        """
        alphas = one_per_layer(estimator.alpha, n_layers, "alpha")
        if estimator.method == "holistic" and not alphas[-1] > 0:
            raise ValueError(
                "method='holistic' needs a positive alpha on the last layer, got "
                f"alpha={estimator.alpha!r}."
            )
        bounds = {}
        for name in ("max_residual", "max_norm"):
            value = getattr(estimator, name, None)
            if value is None and estimator.method == "constrained":
                raise ValueError(f"method='constrained' needs {name}, got None.")
            bounds[name] = (
                None if value is None else one_per_layer(value, n_layers, name, positive=True)
            )
        return cls(
            estimator.method,
            alphas,
            estimator.positive,
            bounds["max_residual"],
            bounds["max_norm"],
            estimator.solver,
            tol,
            max_iter,
            estimator.output,
            estimator.n_jobs,
        )

    @property
    def n_threads(self):
        return effective_n_threads(None if self.n_jobs is None else effective_n_jobs(self.n_jobs))


def encode_layers(chain, options, X):
    """Codes of all layers, in blocks of rows that do not depend on the number of threads.

    Parameters
    ----------
    chain : ComposedDictionary
    options : LayeredCodingOptions
    X : ndarray of float64, shape (n, n_features)

    Returns
    -------
    codes : list of ndarray, one a layer
    info : LayeredCodingInfo
    is_unfinished : ndarray of bool, shape (n,)
        Rows that did not come to the tolerance.
    """
    if options.method == "pursuit":  # which has blocks and threads of its own
        return _encode_block(chain, options, X)
    width = sum(layer.n_components for layer in chain.layers)
    step = max(1, min(-(-len(X) // 16) if len(X) > 64 else len(X), _BLOCK // width))
    blocks = [slice(first, first + step) for first in range(0, len(X), step)]
    parts = map_on_threads(
        lambda rows: _encode_block(chain, options, X[rows]), blocks, options.n_threads
    )
    codes, infos, unfinished = zip(*parts, strict=True)
    return (
        [np.concatenate(of_layer) for of_layer in zip(*codes, strict=True)],
        LayeredCodingInfo.stack(infos),
        np.concatenate(unfinished),
    )


def _encode_block(chain, options, X):
    codes, told, is_unfinished = _METHODS[options.method](chain, options, X)
    below = [X, *codes[:-1]]
    residuals = [
        z - layer.synthesize(code)
        for layer, z, code in zip(chain.layers, below, codes, strict=True)
    ]
    residual_norms = np.array([np.linalg.norm(r, axis=1) for r in residuals]).T
    l1_norms = np.array([np.abs(code).sum(axis=1) for code in codes]).T
    told.setdefault("objective_", 0.5 * (residual_norms**2).sum(axis=1))
    if options.method in ("thresholding", "pursuit"):
        told["objective_"] += l1_norms @ options.alphas
    if options.max_residual is not None and options.max_norm is not None:
        excess = violations(residuals, codes, options.max_residual, options.max_norm)
        told |= {"violation_": excess, "is_feasible_": excess <= options.tol}
        told.setdefault("is_infeasible_", np.zeros(len(X), dtype=bool))
    return codes, LayeredCodingInfo(residual_norms, l1_norms, **told), is_unfinished


def _threshold(chain, options, X):
    codes = thresholded_codes(chain, options.alphas, options.positive, X)
    return codes, {}, np.zeros(len(X), dtype=bool)


def _pursue(chain, options, X):
    codes, results = pursued_codes(
        chain,
        options.alphas,
        options.positive,
        X,
        tol=options.tol,
        max_iter=options.max_iter,
        n_threads=None if options.n_jobs is None else options.n_threads,
    )
    gaps = np.array([result.certificates for result in results]).T
    n_iter = np.array([result.n_iter for result in results]).T
    return codes, {"dual_gap_": gaps, "n_iter_": n_iter}, ~(gaps <= options.tol).all(axis=1)


def _solve_holistic(chain, options, X):
    problem = HolisticProblem(chain, options.alphas, options.positive)
    found = solve_holistic(problem, options.solver, X, tol=options.tol, max_iter=options.max_iter)
    codes = chain.codes_below(found.codes)[1:]
    told = {
        "dual_gap_": found.certificates,
        "n_iter_": found.n_iter,
        "objective_": found.objectives,
    }
    return codes, told, ~found.is_done


def _keep_bounds(chain, options, X):
    found = feasible_codes(
        chain,
        X,
        options.max_residual,
        options.max_norm,
        positive=options.positive,
        tol=options.tol,
        max_iter=options.max_iter,
    )
    told = {"n_iter_": found.n_iter, "is_infeasible_": found.is_infeasible}
    return found.codes, told, ~((found.violations <= options.tol) | found.is_infeasible)


_METHODS = {
    "thresholding": _threshold,
    "pursuit": _pursue,
    "holistic": _solve_holistic,
    "constrained": _keep_bounds,
}
