"""The mask of units that may change, as methods take it."""

import numpy as np

__all__ = ["check_free"]


def check_free(free, shape):
    """`free` as an array of bool, or None where it is None.

    Raises
    ------
    ValueError
        Unless it is a mask of bool for the columns or for all entries of data of `shape`.
    """
    if free is None:
        return None
    free = np.asarray(free)
    if free.dtype != np.bool_ or free.shape not in (shape, shape[1:]):
        raise ValueError(
            f"free must be a mask of shape {shape[1:]} or {shape}, got shape {free.shape} and "
            f"dtype {free.dtype}."
        )
    return free
