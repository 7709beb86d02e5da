"""Sparse coding: data as combinations of a few atoms of a dictionary."""

from sklvm.sparse_coding._ard_sparse_coder import ARDInfo, ARDSparseCoder
from sklvm.sparse_coding._coding_model import CodingInfo
from sklvm.sparse_coding._convolutional_dictionary_learner import ConvolutionalDictionaryLearner
from sklvm.sparse_coding._convolutional_sparse_coder import ConvolutionalSparseCoder
from sklvm.sparse_coding._dictionary_learner import DictionaryLearner
from sklvm.sparse_coding._relative_alpha import RelativeAlpha
from sklvm.sparse_coding._sparse_coder import SparseCoder
from sklvm.sparse_coding._tikhonov_detail import TikhonovDetail
from sklvm.sparse_coding.layered import (
    AdaptiveCodingInfo,
    AdaptiveDeconvolutionalNetwork,
    DeconvolutionalNetwork,
    LayeredCodingInfo,
    LayeredDictionaryLearner,
    LayeredSparseCoder,
    MLPWeights,
)
from sklvm.sparse_coding.penalties import (
    L0,
    L1,
    AtMostNonzero,
    AtMostResidual,
    BasisPursuit,
    Constraint,
    ElasticNet,
    Lq,
    PowerPenalty,
)

__all__ = [
    "L0",
    "L1",
    "ARDInfo",
    "ARDSparseCoder",
    "AdaptiveCodingInfo",
    "AdaptiveDeconvolutionalNetwork",
    "AtMostNonzero",
    "AtMostResidual",
    "BasisPursuit",
    "CodingInfo",
    "Constraint",
    "ConvolutionalDictionaryLearner",
    "ConvolutionalSparseCoder",
    "DeconvolutionalNetwork",
    "DictionaryLearner",
    "ElasticNet",
    "LayeredCodingInfo",
    "LayeredDictionaryLearner",
    "LayeredSparseCoder",
    "Lq",
    "MLPWeights",
    "PowerPenalty",
    "RelativeAlpha",
    "SparseCoder",
    "TikhonovDetail",
]
