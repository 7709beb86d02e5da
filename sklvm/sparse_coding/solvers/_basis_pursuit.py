"""The least l1 norm within a residual, by root finding along the path of the lasso."""

import numpy as np
from scipy import sparse

from sklvm.sparse_coding.solvers._code_results import CodeResults
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["basis_pursuit"]

# Of λ, of which each halves a bracket at least where the path has too many corners for Newton.
_MOST_STEPS = 60
# Below this part of its largest value, λ is zero: the residual cannot be reached.
_SMALLEST = 1e-10
# The lasso is solved to the square of this part of `tol`: a gap of δ leaves the residual in doubt
# by √(2δ).
_INNER_PART = 0.1


@needs(dictionary=("gram", "atoms"), penalty=("on_lasso_path",))
def basis_pursuit(problem, X, start, tol, max_iter):
    """min Σ_k b_k |z_k| subject to ‖x − zD‖ ≤ ε: the lasso whose λ leaves the residual ε.

    On one support with signs s, ‖r(λ)‖² = ‖r(0)‖² + q λ², q = (b s) G⁻¹ (b s)ᵀ, so that Newton
    steps in λ² are exact (van den Berg and Friedlander, 2008, section 2, find the root of the same
    curve). A row's λ is 1 in units of x / λ: all rows are one batch. The certificate is the duality
    gap to max_ν ν·x − ε‖ν‖ over |ν Dᵀ|_k ≤ b_k, relative to Σ b|z|, for ν along the residual.
    """
    epsilon, norms = problem.penalty.residual, np.linalg.norm(X, axis=1)
    n_rows, n_atoms = len(X), problem.n_components
    # Less than what `tol` lets a residual exceed ε by, relative to ‖x‖, is not asked for, nor is
    # what λ would have to be zero for.
    radii = np.maximum(epsilon, max(0.5 * tol, _SMALLEST) * norms)
    # From this λ on codes are zero.
    largest = _ratios(problem, X)
    is_open = (norms > radii) & (largest > 0)
    results = CodeResults(
        sparse.csr_array((n_rows, n_atoms)),
        np.where(norms > radii, (norms - epsilon) / np.maximum(norms, 1e-300), 0.0),
        np.zeros(n_rows),
        np.zeros(n_rows, dtype=np.intc),
    )
    rows = np.flatnonzero(is_open)
    path = _Path(problem, X[rows], norms[rows], radii[rows], largest[rows])
    if start is not None:
        path.codes = sparse.csr_array(start, dtype=np.float64)[rows]
    finished, parts = [np.flatnonzero(~is_open)], [results.codes[~is_open]]
    for step in range(_MOST_STEPS):
        if not len(rows):
            break
        n_rounds, certificates = path.solve(tol, max_iter)
        results.n_iter[rows] += n_rounds
        done = (path.residuals <= path.radii) & (certificates <= tol)
        done |= path.lambdas < _SMALLEST * path.largest
        done |= step == _MOST_STEPS - 1
        results.certificates[rows[done]] = certificates[done]
        results.objectives[rows[done]] = path.lengths[done]
        finished.append(rows[done])
        parts.append(path.codes[done])
        path.step(tol)
        rows = rows[~done]
        path.keep(~done)
    order = np.argsort(np.concatenate(finished))
    codes = sparse.vstack(parts, format="csr")[order]
    return results._replace(codes=codes)


class _Path:
    """Where each of some rows is on its path, and the bracket of its root."""

    def __init__(self, problem, X, norms, radii, largest):
        self._problem = problem
        self.X, self.norms, self.radii, self.largest = X, norms, radii, largest
        self.lambdas, self.low, self.high = largest * radii / norms, np.zeros(len(X)), largest
        self.codes = None
        self.residuals = self.lengths = self.curvatures = None

    def solve(self, tol, max_iter):
        """The lasso at each row's λ. Returns the numbers of rounds and the certificates."""
        problem, lambdas = self._problem, self.lambdas[:, np.newaxis]
        start = None if self.codes is None else sparse.csr_array(self.codes / lambdas)
        solved = problem.active_set.codes(
            self.X / lambdas, start, tol=(_INNER_PART * tol) ** 2, max_iter=max_iter
        )
        counts = np.diff(solved.ends, prepend=0)
        self.codes = sparse.csr_array(
            (
                solved.values * np.repeat(self.lambdas, counts),
                solved.atoms,
                np.concatenate([[0], solved.ends]).astype(np.intc),
            ),
            shape=(len(self.X), problem.n_components),
        )
        self.curvatures = solved.curvatures
        self.lengths = abs(self.codes) @ problem.bound
        residual = self.X - problem.dictionary.synthesize(self.codes)
        self.residuals = np.linalg.norm(residual, axis=1)
        # ν = residual · scale is feasible in the dual.
        ratios = _ratios(problem, residual)
        scale = np.divide(1, ratios, out=np.zeros_like(ratios), where=ratios > 0)
        epsilon = problem.penalty.residual
        dual = scale * (np.einsum("ij,ij->i", residual, self.X) - epsilon * self.residuals)
        gaps = (self.lengths - dual) / np.maximum(self.lengths, 1e-300)
        return solved.n_iter, np.maximum(gaps, (self.residuals - epsilon) / self.norms)

    def step(self, tol):
        """To the λ that a Newton step leads to, or else into the middle of the bracket."""
        outside = self.residuals > self.radii
        self.high = np.where(outside, self.lambdas, self.high)
        self.low = np.where(outside, self.low, self.lambdas)
        # So far within the radius that half of `tol` is left for the gap: the root is feasible.
        margin = np.minimum(0.5, tol * self.lambdas * self.lengths / self.radii**2)
        missing = (1 - margin) * self.radii**2 - self.residuals**2
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = self.lambdas**2 + missing / self.curvatures
        fits = (squares > self.low**2) & (squares < self.high**2)
        middle = np.where(self.low > 0, np.sqrt(self.low * self.high), self.high / 4)
        self.lambdas = np.where(fits, np.sqrt(np.where(fits, squares, 1)), middle)

    def keep(self, rows):
        for name, value in vars(self).items():
            if name != "_problem":
                setattr(self, name, value[rows])


def _ratios(problem, X):
    """max_k of (x Dᵀ)_k / b_k, of either sign unless codes are non-negative."""
    correlations = problem.dictionary.correlate(X) / problem.bound
    if not problem.positive:
        np.abs(correlations, out=correlations)
    return correlations.max(axis=1, initial=0)
