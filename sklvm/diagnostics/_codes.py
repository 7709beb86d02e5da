"""Sparse codes that are empty."""

import numpy as np
from scipy.sparse import issparse

from sklvm.diagnostics._diagnosis import Diagnosis

__all__ = ["empty_codes"]

# Codes are as good as empty where this share of their entries is zero, and a row has less than one
# nonzero in the mean. (Of many atoms, few are wanted in any row.)
MAX_ZEROS, MIN_NONZEROS = 0.97, 1.0


def empty_codes(codes):
    """The share of zeros in sparse codes.

    Parameters
    ----------
    codes : ndarray or sparse array of shape (n, K)
        Of rows of the data.
    """
    n_nonzero = codes.nnz if issparse(codes) else np.count_nonzero(codes)
    n_rows, n_atoms = codes.shape
    share = 1 - n_nonzero / (n_rows * n_atoms)
    return Diagnosis.of(
        share,
        share >= MAX_ZEROS and n_nonzero < MIN_NONZEROS * n_rows,
        f"{share:.1%} of the codes' entries are zero, and a row has {n_nonzero / n_rows:.2g} "
        "nonzeros in the mean: alpha is too large for the data's scale. Lower alpha, or scale the "
        "data.",
    )
