"""One filter at the minimum of a quadratic in the unit ball."""

import numpy as np

__all__ = ["FilterStep"]

# Eigenvalues below this part of the largest are zero.
_SINGULAR = 1e-12
_NEWTON_STEPS = 50
# Steps of projected gradient where taps are non-negative.
_PROJECTED_STEPS = 30


class FilterStep:
    """min ½⟨d, H d⟩ − ⟨b, d⟩ subject to ‖d‖ ≤ 1 for filters of one autocorrelation.

    Parameters
    ----------
    autocorrelation : ndarray of shape (2 * height - 1, 2 * width - 1)
        A: H has A[a − a′] at (a, a′), the same for each channel.
    positive : bool
        Whether d ≥ 0.
    """

    def __init__(self, autocorrelation, positive):
        height, width = (n // 2 + 1 for n in autocorrelation.shape)
        rows = np.subtract.outer(np.arange(height), np.arange(height)) + height - 1
        columns = np.subtract.outer(np.arange(width), np.arange(width)) + width - 1
        rows, columns = rows[:, np.newaxis, :, np.newaxis], columns[:, np.newaxis, :]
        blocks = autocorrelation[rows, columns]
        matrix = blocks.reshape(height * width, height * width)
        self._matrix, self._positive = 0.5 * (matrix + matrix.T), positive
        self._step = 1 / np.abs(autocorrelation).sum()
        if not positive:
            self._eigenvalues, self._vectors = np.linalg.eigh(self._matrix)

    def curve(self, filter):
        """H d."""
        return (self._matrix @ filter.reshape(len(self._matrix), -1)).reshape(filter.shape)

    def solve(self, target, start):
        """The minimum for b = `target`; with d ≥ 0, steps towards it from `start`."""
        if self._positive:
            return self._by_projection(target, start)
        b = self._vectors.T @ target.reshape(len(self._matrix), -1)
        squares = np.einsum("ij,ij->i", b, b)
        shift = self._shift(squares)
        scaled = np.zeros_like(b)
        regular = self._eigenvalues + shift > _SINGULAR * self._eigenvalues[-1]
        scaled[regular] = b[regular] / (self._eigenvalues[regular] + shift)[:, np.newaxis]
        d = (self._vectors @ scaled).reshape(target.shape)
        return d / max(1.0, np.linalg.norm(d))

    def _shift(self, squares):
        """μ ≥ 0 at which ‖(H + μ)⁻¹ b‖ is 1, or 0 where it is less without.

        Newton steps for 1/‖(H + μ)⁻¹ b‖ = 1, which is concave in μ, rise monotonically to the root
        (Moré and Sorensen, 1983, section 3).
        """
        values = np.maximum(self._eigenvalues, 0)
        regular = values > _SINGULAR * values[-1]
        values, squares = values[regular], squares[regular]
        shift = 0.0
        for _ in range(_NEWTON_STEPS):
            squared_norm = np.sum(squares / (values + shift) ** 2)
            if squared_norm <= 1 + 1e-14:
                break
            slope = np.sum(squares / (values + shift) ** 3)
            shift += squared_norm / slope * (np.sqrt(squared_norm) - 1)
        return shift

    def _by_projection(self, target, start):
        d = np.array(start)
        for _ in range(_PROJECTED_STEPS):
            d = np.maximum(d - self._step * (self.curve(d) - target), 0)
            d /= max(1.0, np.linalg.norm(d))
        return d
