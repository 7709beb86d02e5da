"""Dictionaries as linear operators z ↦ zD: what solvers know of the atoms.

A dictionary has ``n_components`` (K), ``n_features`` (d) and

- ``synthesize(Z)``: zD for each row of Z, dense or sparse;
- ``correlate(X, mask=None)``: (m ⊙ x) Dᵀ for each row, its adjoint where all is observed;
- ``norms(mask=None)``: ‖m ⊙ d_k‖ of each atom;
- ``lipschitz``: the largest eigenvalue of D Dᵀ, or a bound of it;

and where it has them ``gram`` (D Dᵀ), ``atoms`` (D as an array), ``atom(k)``, ``pull(Z, X)``, the
gradient of ⟨X, ZD⟩ in the numbers that it is made of, and ``n_weights``: how many weights a penalty
has, each for as many components in a row; by default one for each.
A mask is boolean, of shape (d,), and True where a feature is observed. Solvers say which of these
they need; :class:`sklvm.testing.DictionaryTestCase` checks that they belong together.
"""

from sklvm.sparse_coding.dictionaries._composed import ComposedDictionary, OnMaps
from sklvm.sparse_coding.dictionaries._convolution_geometry import BOUNDARIES, ConvolutionGeometry
from sklvm.sparse_coding.dictionaries._convolutional import ConvolutionalDictionary
from sklvm.sparse_coding.dictionaries._dense import DenseDictionary
from sklvm.sparse_coding.dictionaries._filter_products import (
    correlate_filters,
    filter_gradient,
    synthesize_filters,
)
from sklvm.sparse_coding.dictionaries._restricted import RestrictedDictionary

__all__ = [
    "BOUNDARIES",
    "ComposedDictionary",
    "ConvolutionGeometry",
    "ConvolutionalDictionary",
    "DenseDictionary",
    "OnMaps",
    "RestrictedDictionary",
    "correlate_filters",
    "filter_gradient",
    "synthesize_filters",
]
