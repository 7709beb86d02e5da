"""Checks of the arrays that go into a kernel; each error names the parameter."""

import numpy as np
from scipy import sparse

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def check_float_array(x, name, ndim=None):
    """`x` as an array of float32 or float64, of `ndim` dimensions if that is given."""
    x = np.asarray(x)
    if x.dtype not in FLOATS:
        raise TypeError(f"{name} must be of dtype float32 or float64, got {x.dtype}.")
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {x.shape}.")
    return x


def check_matching_array(x, name, shape, dtype):
    """`x` as an array that has `shape` and `dtype`."""
    x = np.asarray(x)
    if x.dtype != dtype:
        raise TypeError(f"{name} must be of dtype {dtype}, got {x.dtype}.")
    if x.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {x.shape}.")
    return x


def check_out(out, shape, dtype, name="out"):
    """`out` itself, an array that has `shape` and `dtype` and can be written to."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a numpy array or None, got {type(out).__name__}.")
    check_matching_array(out, name, shape, dtype)
    if not out.flags.writeable:
        raise ValueError(f"{name} must be writeable, got a read-only array.")
    return out


def check_csr_array(x, name, shape):
    """`x` itself, a CSR array of float64 of that `shape` whose lists stay inside their arrays."""
    if not sparse.issparse(x) or x.format != "csr":
        raise TypeError(f"{name} must be a CSR array, got {type(x).__name__}.")
    if x.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {x.shape}.")
    if x.data.dtype != np.float64:
        raise TypeError(f"{name} must be of dtype float64, got {x.data.dtype}.")
    starts, columns = x.indptr, x.indices
    is_valid = (
        len(starts) == shape[0] + 1
        and starts[0] == 0
        and (starts[1:] >= starts[:-1]).all()
        and starts[-1] <= min(len(columns), len(x.data))
        and (columns.size == 0 or (columns.min() >= 0 and columns.max() < shape[1]))
    )
    if not is_valid:
        raise ValueError(f"{name} has entries outside of its shape {shape}.")
    return x


def squared_norms_of(X):
    """‖x‖² of each row."""
    return np.einsum("ij,ij->i", X, X)


def finite_squared_norms(X, what):
    """‖x‖² of each row of `what`, where double precision can hold them."""
    with np.errstate(over="ignore", under="ignore"):
        squared_norms = squared_norms_of(X)
    if not np.isfinite(squared_norms).all():
        raise ValueError(
            f"Squares of the {what}, with entries of up to {np.abs(X).max():.3g}, overflow. "
            f"Scale the {what}."
        )
    return squared_norms
