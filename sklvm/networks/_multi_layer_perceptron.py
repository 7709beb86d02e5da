"""The multi-layer perceptron: value, vector–Jacobian and Jacobian–vector products."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from sklvm.kernels import product, transposed_product
from sklvm.layouts import ParameterLayout
from sklvm.networks._activations import ACTIVATIONS

__all__ = ["ForwardPass", "MultiLayerPerceptron", "check_layer_sizes"]


@dataclass
class ForwardPass:
    """What a forward pass leaves behind: the input, and every layer's uₗ and hₗ = f(uₗ)."""

    X: np.ndarray
    preactivations: list
    outputs: list

    @property
    def output(self):
        return self.outputs[-1]

    def input_of(self, layer):
        return self.X if layer == 0 else self.outputs[layer - 1]


class MultiLayerPerceptron:
    """h₀ = x, uₗ = Vₗ hₗ₋₁ + dₗ, hₗ = fₗ(uₗ).

    Parameters
    ----------
    layer_sizes : sequence of int
        Widths from the input to the output.
    activations : sequence of str
        One of {"identity", "relu", "sigmoid", "softplus", "tanh"} a layer.
    use_bias : sequence of bool, default=None
        Whether a layer has a dₗ; None: all have.
    skip_zeros : bool, default=False
        Whether to look for zeros in x. V₁ then lies in memory column by column, so that V₁x is a
        sum of contiguous columns, and where few entries of x are not zero, it is a sum of few.

    Attributes
    ----------
    layout : ParameterLayout
        ``coefs_l`` of shape (width of layer l, width of the layer before it) and ``intercepts_l``.
    """

    def __init__(self, layer_sizes, activations, use_bias=None, skip_zeros=False):
        self.layer_sizes = tuple(layer_sizes)
        self.activations = [ACTIVATIONS[name] for name in activations]
        self.n_layers = len(self.activations)
        self.use_bias = (True,) * self.n_layers if use_bias is None else tuple(use_bias)
        shapes = {}
        for layer in range(self.n_layers):
            shapes[f"coefs_{layer}"] = (self.layer_sizes[layer + 1], self.layer_sizes[layer])
            if self.use_bias[layer]:
                shapes[f"intercepts_{layer}"] = (self.layer_sizes[layer + 1],)
        self.layout = ParameterLayout(
            shapes,
            column_major=("coefs_0",) if skip_zeros else (),
            decayed=[name for name in shapes if name.startswith("coefs_")],
        )

    def coefs(self, views):
        return [views[f"coefs_{layer}"] for layer in range(self.n_layers)]

    def draw_parameters(self, views, rng, mean=0.0, variance=1.0):
        """Draw weights that keep the size of what passes through; write them to `views`.

        They are N(0, gain²/width of the layer below), gain² being 2 above a ReLU and else 1. The
        first layer is scaled and shifted so that its u₁ have mean 0 and variance 1 over inputs of
        the given mean, a vector, and variance, that of an average input.
        """
        for layer, V in enumerate(self.coefs(views)):
            gain = self.activations[layer - 1].gain if layer > 0 else 1.0
            V[...] = gain * rng.standard_normal(V.shape) / np.sqrt(V.shape[1])
            if layer == 0 and variance > 0:
                V /= np.sqrt(variance)
            if self.use_bias[layer]:
                views[f"intercepts_{layer}"][...] = -(V * mean).sum(axis=1) if layer == 0 else 0.0

    def forward(self, views, X):
        """All layers' values for the rows of X; `views` maps parameter names to arrays."""
        passed = ForwardPass(X, [], [])
        h = X
        for layer, activation in enumerate(self.activations):
            u = product(h, views[f"coefs_{layer}"].T)
            if self.use_bias[layer]:
                u += views[f"intercepts_{layer}"]
            h = activation.value(u)
            passed.preactivations.append(u)
            passed.outputs.append(h)
        return passed

    def vjp(self, views, passed, cotangent, out=None, *, input_too=False):
        """Pull a cotangent of the output back to the parameters and the input.

        Parameters
        ----------
        cotangent : ndarray of shape (n, width of the output)
        out : mapping of str to ndarray, default=None
            Where the parameters' gradient is written, by name; None: it is not computed.
        input_too : bool, default=False
            Whether to return the input's cotangent, shape (n, width of the input).
        """
        (first,) = self.derivatives(passed, self.n_layers - 1, 1)
        return self.vjp_preactivation(views, passed, first * cotangent, out, input_too=input_too)

    def vjp_preactivation(self, views, passed, cotangent, out=None, *, input_too=False):
        """The same for a cotangent of the last layer's u_L instead of its output."""
        u_bar = cotangent
        for layer in reversed(range(self.n_layers)):
            if out is not None:
                transposed_product(passed.input_of(layer), u_bar, out=out[f"coefs_{layer}"].T)
                if self.use_bias[layer]:
                    u_bar.sum(axis=0, out=out[f"intercepts_{layer}"])
            if layer > 0:
                (first,) = self.derivatives(passed, layer - 1, 1)
                u_bar = u_bar @ views[f"coefs_{layer}"]
                u_bar *= first
        return u_bar @ views["coefs_0"] if input_too else None

    def jvp(self, views, passed, tangent):
        """The output's change for a change `tangent` (n, width of the input) of the input."""
        h_dot = tangent
        for layer in range(self.n_layers):
            (first,) = self.derivatives(passed, layer, 1)
            h_dot = first * (h_dot @ views[f"coefs_{layer}"].T)
        return h_dot

    def derivatives(self, passed, layer, order):
        """[f′(uₗ), …] up to the given order."""
        return self.activations[layer].derivatives(
            passed.preactivations[layer], passed.outputs[layer], order
        )


def check_layer_sizes(sizes, parameter):
    """The widths as a tuple, an integer being one layer's.

    A ``ValueError`` names the parameter unless all are integers of at least 1.
    """
    if isinstance(sizes, Integral):
        sizes = (sizes,)
    if not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(f"{parameter} must hold integers of at least 1, got {sizes!r}.")
    return tuple(sizes)
