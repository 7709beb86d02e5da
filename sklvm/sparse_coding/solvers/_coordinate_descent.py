"""Coordinate descent, for every penalty."""

import numpy as np

from sklvm.kernels import coordinate_descent_codes, proximal_map, proximal_step
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._dense_rows import dense_rows, products
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["coordinate_descent"]


@needs(dictionary=(("gram", "atom"),), penalty=("separable",))
def coordinate_descent(problem, X, start, tol, max_iter):
    """Each coordinate in turn to its exact minimum: on the Gram matrix in compiled code, or where
    there is none on the residual, one atom at a time."""
    if not problem.has_gram:
        return _on_residuals(problem, X, start, tol, max_iter)
    correlations, squared_norms = products(problem, X)
    codes = dense_rows(problem, start, correlations, squared_norms)
    certificates, objectives, n_iter = coordinate_descent_codes(
        problem.gram,
        problem.bound,
        correlations,
        squared_norms,
        codes,
        exponent=problem.exponent,
        positive=problem.positive,
        lipschitz=problem.lipschitz if problem.exponent < 1 else 1.0,
        tol=tol,
        max_iter=max_iter,
        n_threads=1,
    )
    return CodeResults(codes, certificates, objectives, n_iter)


def _on_residuals(problem, X, start, tol, max_iter):
    correlations, squared_norms = products(problem, X)
    codes = dense_rows(problem, start, correlations, squared_norms)
    if problem.positive:
        np.maximum(codes, 0, out=codes)
    n_rows = len(X)
    result = CodeResults(codes, np.empty(n_rows), np.empty(n_rows), np.zeros(n_rows, dtype=np.intc))
    rows = np.arange(n_rows)
    for epoch in range(max_iter + 1):
        certified = _certify(problem, codes[rows], correlations[rows], squared_norms[rows], tol)
        result.certificates[rows], result.objectives[rows] = certified
        rows = rows[result.certificates[rows] > tol]
        if epoch == max_iter or not len(rows):
            break
        codes[rows] = _epoch(problem, X[rows], codes[rows])
        result.n_iter[rows] += 1
    return result


def _epoch(problem, X, codes):
    """u = ⟨r, d_k⟩ + G_kk z_k, z_k ← prox(u / G_kk), for one atom after another."""
    residual = X - problem.dictionary.synthesize(codes)
    ridge = np.zeros(problem.n_components) if problem.ridge is None else problem.ridge
    for k, curvature in enumerate(problem.diagonal):
        if not curvature > 0:
            codes[:, k] = 0
            continue
        atom, old = problem.dictionary.atom(k), codes[:, k].copy()
        to = old + (residual @ atom - ridge[k] * old) / curvature
        threshold = problem.bound[k : k + 1] / curvature
        codes[:, k] = proximal_map(
            to[:, np.newaxis], threshold, problem.exponent, problem.positive, n_threads=1
        )[:, 0]
        residual -= np.outer(codes[:, k] - old, atom)
    return codes


def _certify(problem, codes, correlations, squared_norms, tol):
    """Certificates and objectives of codes that stay as they are."""
    product = problem.normal(codes)
    objectives = np.full(len(codes), np.inf)
    certificates = proximal_step(
        correlations,
        squared_norms,
        codes,
        codes.copy(),
        product,
        product.copy(),
        np.zeros(len(codes)),
        objectives,
        bound=problem.bound,
        exponent=problem.exponent,
        positive=problem.positive,
        lipschitz=problem.lipschitz,
        tol=tol,
        n_threads=1,
    )
    return certificates, objectives
