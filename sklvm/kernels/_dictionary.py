"""Statistics of sparse codes, and the atoms that fit them best."""

import numpy as np

from sklvm.kernels._arrays import check_csr_array, check_matching_array, check_out
from sklvm.kernels._dictionary_loops import code_products_loop, update_atoms_loop

_FLOAT64 = np.dtype(np.float64)


def add_code_products(codes, X, weights, code_scatter, code_data):
    """Add Σᵢ wᵢ zᵢᵀzᵢ and Σᵢ wᵢ zᵢᵀxᵢ to what is there.

    Parameters
    ----------
    codes : CSR array of float64, shape (n, K)
        z, its indices sorted in each row.
    X : ndarray of float64, shape (n, d)
        x.
    weights : ndarray of float64, shape (n,)
        w.
    code_scatter : ndarray of float64, shape (K, K)
        Of which only the lower triangle is added to.
    code_data : ndarray of float64, shape (K, d)
    """
    n_rows, n_atoms = codes.shape
    X = np.ascontiguousarray(check_matching_array(X, "X", (n_rows, np.shape(X)[1]), _FLOAT64))
    check_out(code_scatter, (n_atoms, n_atoms), _FLOAT64, "code_scatter")
    check_out(code_data, (n_atoms, X.shape[1]), _FLOAT64, "code_data")
    check_csr_array(codes, "codes", (n_rows, n_atoms))
    check_matching_array(weights, "weights", (n_rows,), _FLOAT64)
    code_products_loop(
        codes.data,
        codes.indices.astype(np.intc, copy=False),
        codes.indptr.astype(np.intc, copy=False),
        X,
        weights,
        code_scatter,
        code_data,
    )


def update_atoms(code_scatter, code_data, dictionary, *, positive=False):
    """One pass of block coordinate descent over the atoms, in place.

    The dictionary D minimises ½ tr(Dᵀ A D) − tr(Bᵀ D) subject to ‖d_k‖ ≤ 1. Each atom goes to its
    exact minimum, d_k ← P(d_k + (b_k − a_k D) / A_kk) with P the projection on the unit ball,
    or on its part without negative entries (Mairal, Bach, Ponce and Sapiro, 2010, algorithm 2).
    Atoms of A_kk = 0 stay.

    Parameters
    ----------
    code_scatter : ndarray of float64, shape (K, K)
        A, symmetric.
    code_data : ndarray of float64, shape (K, d)
        B.
    dictionary : ndarray of float64, shape (K, d), C-contiguous
        D; overwritten.
    positive : bool, default=False
        Whether D ≥ 0.

    Returns
    -------
    squared_move : float
        Σ_k ‖change of d_k‖².
    """
    n_atoms, n_features = np.shape(dictionary)
    check_out(dictionary, (n_atoms, n_features), _FLOAT64, "dictionary")
    if not dictionary.flags.c_contiguous:
        raise ValueError("dictionary must be C-contiguous.")
    check_matching_array(code_scatter, "code_scatter", (n_atoms, n_atoms), _FLOAT64)
    check_matching_array(code_data, "code_data", (n_atoms, n_features), _FLOAT64)
    return update_atoms_loop(
        np.ascontiguousarray(code_scatter),
        np.ascontiguousarray(code_data),
        dictionary,
        positive,
        np.empty(n_features),
    )
