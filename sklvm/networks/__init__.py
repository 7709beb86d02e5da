"""The multi-layer perceptron with value, vjp, jvp, and second derivatives in its input."""

from sklvm.networks._activations import ACTIVATIONS
from sklvm.networks._directional_slopes import directional_slopes
from sklvm.networks._discrete_encoder import DiscreteEncoder, DiscreteLaw
from sklvm.networks._gaussian_encoder import GaussianEncoder, GaussianEncoding
from sklvm.networks._gradient_norms import gradient_norms
from sklvm.networks._input_derivatives import InputDerivatives
from sklvm.networks._multi_layer_perceptron import (
    ForwardPass,
    MultiLayerPerceptron,
    check_layer_sizes,
)

__all__ = [
    "ACTIVATIONS",
    "DiscreteEncoder",
    "DiscreteLaw",
    "ForwardPass",
    "GaussianEncoder",
    "GaussianEncoding",
    "InputDerivatives",
    "MultiLayerPerceptron",
    "check_layer_sizes",
    "directional_slopes",
    "gradient_norms",
]
