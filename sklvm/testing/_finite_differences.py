"""Derivatives by finite differences, and what it means to agree with them."""

import numpy as np

__all__ = ["assert_is_gradient", "numerical_gradient", "numerical_jacobian"]


def numerical_jacobian(function, point, step=1e-3):
    """∂f/∂x by the five-point central difference, whose error is of the order of step⁴.

    Parameters
    ----------
    function : callable
        Maps a vector of shape (d,) to an array of any shape.
    point : ndarray of shape (d,)
        Where; float64.
    step : float, default=1e-3

    Returns
    -------
    jacobian : ndarray of shape (…, d)
        The axes of f, and then that of x.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.testing import numerical_jacobian
    >>> numerical_jacobian(lambda x: np.sin(x), np.array([0.0, np.pi])).round(6)
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    point = np.asarray(point, dtype=np.float64)
    columns = []
    for j in range(len(point)):
        direction = np.zeros_like(point)
        direction[j] = step
        near = np.asarray(function(point + direction)) - function(point - direction)
        far = np.asarray(function(point + 2 * direction)) - function(point - 2 * direction)
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=-1)


def numerical_gradient(function, point, step=1e-3):
    """∇f by ``numerical_jacobian``, where f maps a vector to a number; shape (d,)."""
    return numerical_jacobian(function, point, step)


def assert_is_gradient(gradient, function, theta, layout, rtol=1e-6, step=1e-3):
    """Raise ``AssertionError`` unless `gradient` is ∇f(θ).

    Every named parameter is compared by itself, so that an error in one of small scale does not
    hide behind the others: ‖g − ∇f‖ ≤ rtol (‖∇f‖ + 10⁻³ ‖∇f over all parameters‖) for each.

    Parameters
    ----------
    gradient : ndarray of shape (layout.size,)
    function : callable
        θ → float.
    theta : ndarray of shape (layout.size,)
        Float64.
    layout : ParameterLayout
    rtol : float, default=1e-6
    step : float, default=1e-3
        Of the differences; smaller where f has kinks.
    """
    expected = numerical_gradient(function, theta, step)
    assert gradient.shape == theta.shape, f"{gradient.shape} is not {theta.shape}"
    whole = np.linalg.norm(expected)
    actual_views, expected_views = (
        layout.views(np.ascontiguousarray(gradient)),
        layout.views(expected),
    )
    for name in layout:
        error = np.linalg.norm(actual_views[name] - expected_views[name])
        allowed = rtol * (np.linalg.norm(expected_views[name]) + 1e-3 * whole)
        assert error <= allowed, (
            f"∂/∂{name} is off by {error:.3g}, where {allowed:.3g} is allowed: "
            f"{actual_views[name]} is not {expected_views[name]}"
        )
