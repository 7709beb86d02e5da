"""Proximal gradient, plain and accelerated, for every penalty."""

import numpy as np

from sklvm.kernels import proximal_step
from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._dense_rows import dense_rows, products
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["fista", "ista"]

# Rows that are done leave the batch when they are at least this part of it: to move the others
# together takes time too.
_LEAVING = 0.125


@needs(penalty=("separable",))
def ista(problem, X, start, tol, max_iter):
    """z ← prox(z + (x − zD)Dᵀ / L): the objective never increases."""
    return _iterate(problem, X, start, tol, max_iter, momentum=0.0)


@needs(penalty=("separable",))
def fista(problem, X, start, tol, max_iter):
    """ISTA with momentum (Beck and Teboulle, 2009), restarted where it points uphill (O'Donoghue
    and Candès, 2015, section 3.2). Without convexity a step that it led uphill is undone."""
    return _iterate(problem, X, start, tol, max_iter, momentum=1.0)


def _iterate(problem, X, start, tol, max_iter, momentum):
    known = None
    if np.isnan(X.sum()):
        known = ~np.isnan(X)
        X = np.where(known, X, 0)
    correlations, squared_norms = products(problem, X)
    codes = dense_rows(problem, start, correlations, squared_norms)
    n_rows = len(codes)
    result = CodeResults(codes, np.empty(n_rows), np.empty(n_rows), np.zeros(n_rows, dtype=np.intc))
    rows = np.arange(n_rows)
    last, last_products = codes.copy(), problem.normal(codes, known)
    batch = {
        "correlations": correlations,
        "squared_norms": squared_norms,
        "codes": codes.copy(),
        "last_codes": last,
        "products": last_products.copy(),
        "last_products": last_products,
        "momenta": np.full(n_rows, momentum),
        "objectives": np.full(n_rows, np.inf),
    }
    for iteration in range(max_iter + 1):
        certificates = proximal_step(
            **batch,
            bound=problem.bound,
            exponent=problem.exponent,
            positive=problem.positive,
            lipschitz=problem.lipschitz,
            tol=tol,
            n_threads=1,
        )
        done = certificates <= tol
        result.n_iter[rows] += ~done & (iteration < max_iter)
        if iteration == max_iter:
            done[:] = True
        if done.all() or done.mean() >= _LEAVING:
            left = rows[done]
            result.codes[left] = batch["codes"][done]
            result.certificates[left] = certificates[done]
            result.objectives[left] = batch["objectives"][done]
            if done.all():
                break
            rows = rows[~done]
            batch = {name: array[~done] for name, array in batch.items()}
            known = None if known is None else known[~done]
        batch["codes"], batch["last_codes"] = batch["last_codes"], batch["codes"]
        batch["products"], batch["last_products"] = batch["last_products"], batch["products"]
        batch["products"] = problem.normal(batch["codes"], known)
    return result


# Of a convex penalty: others start from a greedy path, which needs the Gram matrix of each row.
ista.takes_gaps = fista.takes_gaps = True
