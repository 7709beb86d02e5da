"""Compiled loops: sigmoids, counter-based random numbers, optimiser updates, products of sparse
rows, sparse codes, chains of labels.

Every kernel returns the same bits for any number of threads, on any CPU, and however its rows are
cut into chunks; but for products that are left to BLAS.
"""

from sklvm.kernels._activations import sigmoid, softplus
from sklvm.kernels._active_set import ActiveSetCoder, SparseRows
from sklvm.kernels._automatic_relevance import RelevanceResults, automatic_relevance_codes
from sklvm.kernels._bernoulli import draw_bernoulli, sample_bernoulli
from sklvm.kernels._chains import ChainMarginals, chain_best_path, chain_marginals
from sklvm.kernels._convolution import FilterAtoms, FilterBank, FilteredImage
from sklvm.kernels._coordinate_descent import coordinate_descent_codes
from sklvm.kernels._cross_entropy import cross_entropy
from sklvm.kernels._dictionary import add_code_products, update_atoms
from sklvm.kernels._lattices import ising_sweep
from sklvm.kernels._map_statistics import add_map_products
from sklvm.kernels._matching_pursuit import matching_pursuit_codes
from sklvm.kernels._pairs import pairwise_products, pairwise_products_vjp
from sklvm.kernels._pairwise import greedy_colours, pairwise_sweeps
from sklvm.kernels._proximal import power_penalty, proximal_map, proximal_step
from sklvm.kernels._random import philox4x32, standard_normal, uniform
from sklvm.kernels._sites import pair_matrix, settle_sites, sweep_sites, sweep_sparse_sites
from sklvm.kernels._sparse_products import product, transposed_product
from sklvm.kernels._thread_pool import map_on_threads, single_threaded_blas
from sklvm.kernels._threads import effective_n_threads
from sklvm.kernels._topics import (
    collapse_topics,
    expect_topics,
    left_to_right_probabilities,
    padded_width,
    sample_topics,
)
from sklvm.kernels._updates import adam_update, sgd_update

__all__ = [
    "ActiveSetCoder",
    "ChainMarginals",
    "FilterAtoms",
    "FilterBank",
    "FilteredImage",
    "RelevanceResults",
    "SparseRows",
    "adam_update",
    "add_code_products",
    "add_map_products",
    "automatic_relevance_codes",
    "chain_best_path",
    "chain_marginals",
    "collapse_topics",
    "coordinate_descent_codes",
    "cross_entropy",
    "draw_bernoulli",
    "effective_n_threads",
    "expect_topics",
    "greedy_colours",
    "ising_sweep",
    "left_to_right_probabilities",
    "map_on_threads",
    "matching_pursuit_codes",
    "padded_width",
    "pair_matrix",
    "pairwise_products",
    "pairwise_products_vjp",
    "pairwise_sweeps",
    "philox4x32",
    "power_penalty",
    "product",
    "proximal_map",
    "proximal_step",
    "sample_bernoulli",
    "sample_topics",
    "settle_sites",
    "sgd_update",
    "sigmoid",
    "single_threaded_blas",
    "softplus",
    "standard_normal",
    "sweep_sites",
    "sweep_sparse_sites",
    "transposed_product",
    "uniform",
    "update_atoms",
]
