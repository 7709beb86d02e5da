"""Filters that are moved back to the middle of their frames."""

import numpy as np

__all__ = ["centring_move", "moved"]

# Part of a filter's energy that a move may push out of the frame.
_MOST_LOST = 0.02
# Distance of the centre of energy from the middle from which on a filter is moved.
_LEAST_DISTANCE = 0.75


def centring_move(filter):
    """By how many pixels along each axis a filter can move towards the middle of its frame.

    Parameters
    ----------
    filter : ndarray of shape (height, width, channels)

    Returns
    -------
    move : tuple of int
        So far that little of it leaves the frame; (0, 0) where it is centred.
    """
    squares = np.einsum("ijc,ijc->ij", filter, filter)
    return tuple(_move_along(squares.sum(axis=1 - axis)) for axis in (0, 1))


def moved(filter, move):
    """The filter moved within its frame, zero where nothing moves in."""
    out = np.zeros_like(filter)
    targets, sources = zip(
        *((slice(max(s, 0), n + min(s, 0)), slice(max(-s, 0), n - max(s, 0)))
          for s, n in zip(move, filter.shape, strict=False)), strict=True
    )  # fmt: skip
    out[targets] = filter[sources]
    return out


def _move_along(energies):
    total, length = energies.sum(), len(energies)
    if not total > 0:
        return 0
    distance = (length - 1) / 2 - np.arange(length) @ energies / total
    if abs(distance) < _LEAST_DISTANCE:
        return 0
    # Lines that leave, from the one at the border inwards.
    leaving = energies[::-1] if distance > 0 else energies
    affordable = np.searchsorted(np.cumsum(leaving), _MOST_LOST * total, side="right")
    return int(np.sign(distance)) * min(round(abs(distance)), int(affordable))
