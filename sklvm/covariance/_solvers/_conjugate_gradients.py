"""Preconditioned conjugate gradients on the space of matrices with given zeros."""

import numpy as np

__all__ = ["conjugate_gradients"]


def conjugate_gradients(apply, right_hand_side, precondition, dot, *, tol, max_iter):
    """Solve A v = b for a self-adjoint positive definite A.

    Parameters
    ----------
    apply, precondition : callable
        v → A v, and r → an approximation of A⁻¹ r; self-adjoint under `dot`.
    right_hand_side : ndarray of shape (m,)
        b.
    dot : callable
        The inner product.
    tol : float
        Stop when the residual's preconditioned norm falls below `tol` times that of b.
    max_iter : int
        Stop there in any case.

    Returns
    -------
    v : ndarray of shape (m,)
    """
    v, residual = np.zeros_like(right_hand_side), right_hand_side.copy()
    direction = preconditioned = precondition(residual)
    size = dot(residual, preconditioned)
    target = tol**2 * size
    for _ in range(max_iter):
        if size <= target:
            break
        image = apply(direction)
        curvature = dot(direction, image)
        if curvature <= 0:  # rounding, close to the solution
            break
        step = size / curvature
        v += step * direction
        residual -= step * image
        preconditioned = precondition(residual)
        size, previous = dot(residual, preconditioned), size
        direction = preconditioned + (size / previous) * direction
    return v
