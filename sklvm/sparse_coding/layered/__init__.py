"""Layered sparse coding: codes of codes, on chains of dictionaries."""

from sklvm.sparse_coding.layered._layered_coding import LayeredCodingInfo
from sklvm.sparse_coding.layered._layered_sparse_coder import LayeredSparseCoder, MLPWeights

__all__ = ["LayeredCodingInfo", "LayeredSparseCoder", "MLPWeights"]
