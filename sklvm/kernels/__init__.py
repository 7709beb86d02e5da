"""Compiled element-wise loops: sigmoids, counter-based random numbers, optimiser updates.

Every kernel returns the same bits for any number of threads, on any CPU, and however its rows are
cut into chunks.
"""

from sklvm.kernels._activations import sigmoid, softplus
from sklvm.kernels._bernoulli import sample_bernoulli
from sklvm.kernels._pairs import pairwise_products, pairwise_products_vjp
from sklvm.kernels._random import philox4x32, standard_normal, uniform
from sklvm.kernels._threads import effective_n_threads
from sklvm.kernels._updates import adam_update, sgd_update

__all__ = [
    "adam_update",
    "effective_n_threads",
    "pairwise_products",
    "pairwise_products_vjp",
    "philox4x32",
    "sample_bernoulli",
    "sgd_update",
    "sigmoid",
    "softplus",
    "standard_normal",
    "uniform",
]
