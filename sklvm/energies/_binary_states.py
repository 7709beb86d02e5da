"""All states of a layer of binary units, in blocks that fit into memory."""

import math

import numpy as np

__all__ = ["binary_states"]

MAX_ENTRIES = 2**22


def binary_states(n_units, n_entries_a_state=1):
    """All of {0, 1}^n_units, in blocks of at most 2¹⁴ rows.

    Parameters
    ----------
    n_units : int
    n_entries_a_state : int, default=1
        Numbers that the caller holds for each state; blocks are as small as these ask for.

    Yields
    ------
    states : ndarray of shape (n_states, n_units), float64
    """
    room = int(math.log2(max(MAX_ENTRIES // n_entries_a_state, 1)))
    low = min(n_units, 14, room)
    block = (np.arange(2**low)[:, np.newaxis] >> np.arange(low)) & 1
    for high in range(2 ** (n_units - low)):
        rest = (high >> np.arange(n_units - low)) & 1
        yield np.hstack([block, np.broadcast_to(rest, (len(block), len(rest)))]).astype(np.float64)
