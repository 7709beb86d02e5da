"""Whether data determine a Gaussian with given zeros in its precision matrix."""

import numpy as np

from sklvm.covariance._solvers import CliqueSum
from sklvm.graphs import SymmetricPattern

__all__ = ["few", "find_degeneracy"]


def find_degeneracy(covariance, mask, dtype):
    """Why no Gaussian with this covariance and structure fits best, or None if there is one.

    Neither criterion is bounded below unless C is positive definite on every clique of the mask.
    What counts as zero is the rounding of data of type `dtype`.
    """
    variances = np.diag(covariance)
    constant = np.flatnonzero(variances <= 0)
    if len(constant):
        return f"features {few(constant)} are constant"
    scale = np.sqrt(variances)
    correlation = covariance / np.outer(scale, scale)
    if mask.all():
        blocks = [correlation[np.newaxis]]
    else:
        blocks = CliqueSum(SymmetricPattern(mask)).blocks(correlation)
    for block in blocks:
        size = block.shape[-1]
        eigenvalues = np.linalg.eigvalsh(block)
        rounding = max(size * np.finfo(np.float64).eps, 4 * np.finfo(dtype).eps)
        if (eigenvalues[:, 0] <= rounding * eigenvalues[:, -1]).any():
            return (
                f"the data's covariance is singular on {size} features that the structure joins, "
                "by too few samples or by features that depend on each other"
            )
    return None


def few(indices):
    """Some of the indices, for a message."""
    shown = ", ".join(map(str, indices[:5]))
    return shown if len(indices) <= 5 else f"{shown}, … ({len(indices)} in all)"
