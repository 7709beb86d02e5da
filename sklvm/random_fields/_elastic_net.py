"""Smooth criteria under an elastic net, by L-BFGS."""

import numpy as np
from scipy.optimize import minimize

__all__ = ["minimize_elastic_net"]


def minimize_elastic_net(function, theta, n_penalized, *, l1, l2, max_iter, tol, on_iteration):
    """Minimise f(θ) + l1 ‖θ_p‖₁ + Σ l2 θ_p² / 2, θ_p being the first `n_penalized` entries.

    With l1 > 0 the penalised entries are split, θ_p = θ⁺ − θ⁻ with both parts at least 0, and
    l1 ‖θ_p‖₁ becomes the linear l1 Σ(θ⁺ + θ⁻): a smooth problem with bounds, whose minima are those
    of the first one, for of θ⁺ and θ⁻ one is then 0. L-BFGS-B solves it, and leaves exact zeros.

    Parameters
    ----------
    function : callable
        θ → (f, ∇f).
    theta : ndarray of float64
        Start.
    n_penalized : int
    l1 : float
        At least 0.
    l2 : float or ndarray of shape (n_penalized,)
        At least 0; of each entry, where it is an array.
    max_iter : int
    tol : float
        Stop where no entry of the (projected) gradient is larger.
    on_iteration : callable
        Called with (θ, value) after every iteration; true to stop.

    Returns
    -------
    theta : ndarray of float64
    n_iter : int
    message : str or None
        Why it did not converge; None where it did, or where `on_iteration` stopped it.

    References
    ----------
    Zhu, Byrd, Lu, Nocedal, "Algorithm 778: L-BFGS-B", ACM TOMS 23 (1997); Andrew and Gao, "Scalable
    training of L1-regularized log-linear models", ICML 2007, on the split.
    """
    is_split = l1 > 0
    p = n_penalized

    def joined(vector):
        if not is_split:
            return vector
        return np.concatenate([vector[:p] - vector[p : 2 * p], vector[2 * p :]])

    def penalized(vector):
        theta = joined(vector)
        value, gradient = function(theta)
        value += 0.5 * ((l2 * theta[:p]) @ theta[:p])
        gradient = gradient.copy()
        gradient[:p] += l2 * theta[:p]
        if is_split:
            value += l1 * vector[: 2 * p].sum()
            gradient = np.concatenate([gradient[:p] + l1, l1 - gradient[:p], gradient[p:]])
        return value, gradient

    was_stopped = False

    def callback(intermediate_result):
        nonlocal was_stopped
        if on_iteration(joined(intermediate_result.x), float(intermediate_result.fun)):
            was_stopped = True
            raise StopIteration

    start, bounds = theta, None
    if is_split:
        positive, negative = np.maximum(theta[:p], 0), np.maximum(-theta[:p], 0)
        start = np.concatenate([positive, negative, theta[p:]])
        bounds = [(0, None)] * (2 * p) + [(None, None)] * (len(theta) - p)
    result = minimize(
        penalized,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=callback,
        options={
            "maxiter": max_iter,
            "maxfun": 20 * max_iter,
            "gtol": tol,
            "ftol": 64 * np.finfo(np.float64).eps,
            "maxls": 50,
        },
    )
    message = None if result.success or was_stopped else str(result.message)
    return joined(result.x), max(1, int(result.nit)), message
