"""Activation functions with their first three derivatives."""

import numpy as np

from sklvm.kernels import sigmoid, softplus

__all__ = ["ACTIVATIONS", "Activation"]


class Activation:
    """f and its derivatives, elementwise.

    Attributes
    ----------
    is_smooth : bool
        Whether f has second and third derivatives.
    gain : float
        A layer of weights N(0, gain²/width) keeps the size of what comes from a layer of f below.
    """

    is_smooth = True
    gain = 1.0

    def value(self, u):
        """f(u)."""
        raise NotImplementedError

    def derivatives(self, u, value, order):
        """[f′(u), …] up to the given order (at most 3); `value` is f(u).

        Raises
        ------
        ValueError
            Above order 1, where f is not smooth.
        """
        raise NotImplementedError


class Identity(Activation):
    """f(u) = u."""

    def value(self, u):
        return u

    def derivatives(self, u, value, order):
        return [np.ones_like(u), *(np.zeros_like(u) for _ in range(order - 1))]


class ReLU(Activation):
    """max(u, 0); its derivative at 0 is taken as 0 (He et al., 2015, eq. 10, for the gain)."""

    is_smooth = False
    gain = np.sqrt(2.0)

    def value(self, u):
        return np.maximum(u, 0)

    def derivatives(self, u, value, order):
        if order > 1:
            raise ValueError("activation='relu' has no second derivative. Use 'softplus' instead.")
        return [(u > 0).astype(u.dtype)]


class Sigmoid(Activation):
    """s(u) = 1/(1+e⁻ᵘ); s′ = s(1−s), s″ = s′(1−2s), s‴ = s′(1−6s′)."""

    def value(self, u):
        return sigmoid(u)

    def derivatives(self, u, value, order):
        return _sigmoid_derivatives(value, order)


class Tanh(Activation):
    """t(u) = tanh u; t′ = 1−t², t″ = −2t·t′, t‴ = 2t′(3t²−1)."""

    def value(self, u):
        return np.tanh(u)

    def derivatives(self, u, value, order):
        first = 1 - value * value
        derivatives = [first]
        if order > 1:
            derivatives.append(-2 * value * first)
        if order > 2:
            derivatives.append(2 * first * (2 - 3 * first))
        return derivatives


class Softplus(Activation):
    """S(u) = log(1+eᵘ); S′ = s, then the sigmoid's derivatives."""

    def value(self, u):
        return softplus(u)

    def derivatives(self, u, value, order):
        first = sigmoid(u)
        return [first, *_sigmoid_derivatives(first, order - 1)]


def _sigmoid_derivatives(value, order):
    derivatives = []
    if order > 0:
        first = 1 - value
        first *= value
        derivatives.append(first)
    if order > 1:
        second = 1 - 2 * value
        second *= first
        derivatives.append(second)
    if order > 2:
        third = 1 - 6 * first
        third *= first
        derivatives.append(third)
    return derivatives


ACTIVATIONS = {
    "identity": Identity(),
    "relu": ReLU(),
    "sigmoid": Sigmoid(),
    "softplus": Softplus(),
    "tanh": Tanh(),
}
