"""Checks of the arrays that go into a kernel; each error names the parameter."""

import numpy as np

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
