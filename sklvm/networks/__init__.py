"""The multi-layer perceptron with value, vjp, jvp, and second derivatives in its input."""

from sklvm.networks._activations import ACTIVATIONS
from sklvm.networks._directional_slopes import directional_slopes
from sklvm.networks._gradient_norms import gradient_norms
from sklvm.networks._input_derivatives import InputDerivatives
from sklvm.networks._multi_layer_perceptron import (
    ForwardPass,
    MultiLayerPerceptron,
    check_layer_sizes,
)

__all__ = [
    "ACTIVATIONS",
    "ForwardPass",
    "InputDerivatives",
    "MultiLayerPerceptron",
    "check_layer_sizes",
    "directional_slopes",
    "gradient_norms",
]
