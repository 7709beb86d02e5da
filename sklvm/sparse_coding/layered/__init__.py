"""Layered sparse coding: codes of codes, on chains of dictionaries."""

from sklvm.sparse_coding.layered._adaptive_deconvolutional_network import (
    AdaptiveDeconvolutionalNetwork,
)
from sklvm.sparse_coding.layered._adaptive_model import AdaptiveCodingInfo
from sklvm.sparse_coding.layered._deconvolutional_network import DeconvolutionalNetwork
from sklvm.sparse_coding.layered._layered_coding import LayeredCodingInfo
from sklvm.sparse_coding.layered._layered_dictionary_learner import LayeredDictionaryLearner
from sklvm.sparse_coding.layered._layered_sparse_coder import LayeredSparseCoder, MLPWeights

__all__ = [
    "AdaptiveCodingInfo",
    "AdaptiveDeconvolutionalNetwork",
    "DeconvolutionalNetwork",
    "LayeredCodingInfo",
    "LayeredDictionaryLearner",
    "LayeredSparseCoder",
    "MLPWeights",
]
