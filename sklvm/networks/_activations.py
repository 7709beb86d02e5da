"""Activation functions with their first three derivatives."""

import numpy as np

from sklvm.kernels import sigmoid, softplus

__all__ = ["ACTIVATIONS", "Activation"]


class Activation:
    """f and its derivatives, elementwise."""

    def value(self, u):
        """f(u)."""
        raise NotImplementedError

    def derivatives(self, u, value, order):
        """[f′(u), …] up to the given order (at most 3); `value` is f(u)."""
        raise NotImplementedError


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
        return [first, -2 * value * first, 2 * first * (2 - 3 * first)][:order]


class Softplus(Activation):
    """S(u) = log(1+eᵘ); S′ = s, then the sigmoid's derivatives."""

    def value(self, u):
        return softplus(u)

    def derivatives(self, u, value, order):
        first = sigmoid(u)
        return [first, *_sigmoid_derivatives(first, order - 1)]


def _sigmoid_derivatives(value, order):
    if order == 0:
        return []
    first = value * (1 - value)
    return [first, first * (1 - 2 * value), first * (1 - 6 * first)][:order]


ACTIVATIONS = {"sigmoid": Sigmoid(), "tanh": Tanh(), "softplus": Softplus()}
