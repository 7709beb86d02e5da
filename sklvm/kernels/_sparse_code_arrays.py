"""Checks that the kernels of sparse codes share."""

import numpy as np

from sklvm.kernels._arrays import check_matching_array, check_out

# Passes over its atoms that a code takes, about: what makes threads worth their start.
PASSES = 16


def check_problem(gram, bound, correlations, squared_norms, codes):
    """Gram matrix, bounds, correlations and norms, C-contiguous float64 of shapes that fit."""
    n_rows, n_atoms = np.shape(correlations)
    check_out(codes, (n_rows, n_atoms), np.dtype(np.float64), "codes")
    if not codes.flags.c_contiguous:
        raise ValueError("codes must be C-contiguous.")
    expected = {
        "gram": (gram, (n_atoms, n_atoms)),
        "bound": (bound, (n_atoms,)),
        "correlations": (correlations, (n_rows, n_atoms)),
        "squared_norms": (squared_norms, (n_rows,)),
    }
    return [
        np.ascontiguousarray(check_matching_array(array, name, shape, np.dtype(np.float64)))
        for name, (array, shape) in expected.items()
    ]
