"""Optimiser updates of a flat parameter vector, each in one pass over memory."""

import math
from numbers import Integral, Real

import numpy as np

from sklvm.kernels._arrays import check_float_array, check_matching_array, check_out
from sklvm.kernels._threads import threads_for
from sklvm.kernels._update_loops import adam_loop, momentum_loop, sgd_loop


def sgd_update(theta, gradient, velocity, learning_rate, momentum=0.0, nesterov=False):
    """One step of gradient descent with momentum, in place.

    With the velocity v, learning rate η and momentum μ (Sutskever et al. [1]_)::

        v ← μ v − η gradient,      θ ← θ + v                     (classical)
                                   θ ← θ + μ v − η gradient      (Nesterov)

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,), float32 or float64
        Changed in place.
    gradient : ndarray of shape (n_parameters,), of the dtype of `theta`
    velocity : ndarray of shape (n_parameters,), of the dtype of `theta`, or None
        Changed in place. None is allowed, and an array left alone, where `momentum` is 0.
    learning_rate : float
    momentum : float in [0, 1), default=0.0
    nesterov : bool, default=False

    Returns
    -------
    squared_norm : float
        ‖change of θ‖², summed in float64; the same bits for every thread count.

    Raises
    ------
    TypeError
        If an array's dtype is not as said here, or a number is none.
    ValueError
        If the arrays' shapes differ, one that is changed is read-only or not contiguous, or
        `momentum` is outside [0, 1).

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and
       momentum in deep learning", ICML 2013, equations 1 to 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import sgd_update
    >>> theta, velocity = np.array([1.0, 2.0]), np.zeros(2)
    >>> sgd_update(theta, np.array([3.0, 4.0]), velocity, 0.5, momentum=0.9)
    6.25
    >>> theta
    array([-0.5,  0. ])
    """
    _check_state(theta, "theta", None)
    gradient = _check_gradient(gradient, theta)
    learning_rate = _check_number(learning_rate, "learning_rate")
    momentum = _check_fraction(momentum, "momentum")
    n_threads = threads_for(theta.size, None)
    if momentum == 0.0:
        return sgd_loop(theta, gradient, learning_rate, n_threads)
    _check_state(velocity, "velocity", theta)
    return momentum_loop(
        theta, gradient, velocity, learning_rate, momentum, bool(nesterov), n_threads
    )


def adam_update(
    theta, gradient, first_moment, second_moment, learning_rate, beta1, beta2, epsilon, n_steps
):
    """One step of Adam (Kingma and Ba [1]_, algorithm 1), in place.

    With the moments m and v, and t = `n_steps`::

        m ← β₁ m + (1 − β₁) gradient,      v ← β₂ v + (1 − β₂) gradient²,
        θ ← θ − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,), float32 or float64
        Changed in place.
    gradient : ndarray of shape (n_parameters,), of the dtype of `theta`
    first_moment, second_moment : ndarray of shape (n_parameters,), of the dtype of `theta`
        m and v, zeros before the first step. Changed in place.
    learning_rate : float
        η.
    beta1, beta2 : float in [0, 1)
    epsilon : float
        ε, in the units of the gradient.
    n_steps : int
        This step's number, counted from 1.

    Returns
    -------
    squared_norm : float
        ‖change of θ‖², summed in float64; the same bits for every thread count.

    Raises
    ------
    TypeError
        If an array's dtype is not as said here, or a number is none.
    ValueError
        If the arrays' shapes differ, one that is changed is read-only or not contiguous, `beta1` or
        `beta2` is outside [0, 1), `epsilon` is negative, or `n_steps` is below 1.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import adam_update
    >>> theta, m, v = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
    >>> _ = adam_update(theta, np.array([3.0, -4.0]), m, v, 0.1, 0.9, 0.999, 1e-8, 1)
    >>> theta
    array([0.9, 2.1])
    """
    _check_state(theta, "theta", None)
    gradient = _check_gradient(gradient, theta)
    _check_state(first_moment, "first_moment", theta)
    _check_state(second_moment, "second_moment", theta)
    learning_rate = _check_number(learning_rate, "learning_rate")
    beta1, beta2 = _check_fraction(beta1, "beta1"), _check_fraction(beta2, "beta2")
    epsilon = _check_number(epsilon, "epsilon")
    if epsilon < 0:
        raise ValueError(f"epsilon must be at least 0, got {epsilon!r}.")
    if not isinstance(n_steps, Integral):
        raise TypeError(f"n_steps must be an integer of at least 1, got {n_steps!r}.")
    if n_steps < 1:
        raise ValueError(f"n_steps must be an integer of at least 1, got {n_steps!r}.")
    return adam_loop(
        theta,
        gradient,
        first_moment,
        second_moment,
        learning_rate / (1.0 - beta1**n_steps),
        1.0 / math.sqrt(1.0 - beta2**n_steps),
        beta1,
        beta2,
        epsilon,
        threads_for(theta.size, None),
    )


def _check_state(array, name, theta):
    """`array` is changed in place: it must be what the kernel can write to directly."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, got {type(array).__name__}.")
    check_float_array(array, name, ndim=1)
    check_out(
        array,
        array.shape if theta is None else theta.shape,
        array.dtype if theta is None else theta.dtype,
        name,
    )
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} must be contiguous, as it is changed in place.")


def _check_gradient(gradient, theta):
    gradient = check_matching_array(gradient, "gradient", theta.shape, theta.dtype)
    return np.ascontiguousarray(gradient)


def _check_number(value, name):
    if not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}.")
    return float(value)


def _check_fraction(value, name):
    value = _check_number(value, name)
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must be in [0, 1), got {value!r}.")
    return value
