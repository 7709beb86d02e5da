"""How far out a score lies among those of rows that were left out."""

import numpy as np

__all__ = ["TailProbabilities"]


class TailProbabilities:
    """−log of the part of reference scores that are as surprising, as a function of the score.

    Between the n reference scores it is interpolated. Beyond the largest, s₁, the tail is taken to
    fall as 1/(1 + (s − s₁)/β), β being the mean excess of the upper tenth over its least.

    Parameters
    ----------
    surprises : ndarray of shape (n,)
        Reference scores, greater being more surprising.
    """

    def __init__(self, surprises):
        self._sorted = np.sort(surprises)
        n = len(surprises)
        as_surprising = n - np.searchsorted(self._sorted, self._sorted, side="left")
        self._logs = -np.log((as_surprising + 0.5) / (n + 1))
        upper = self._sorted[-min(n, max(3, n // 10)) :]
        largest = self._sorted[-1]
        self._excess = max((upper - upper[0]).mean(), 1e-9 * abs(largest), 1e-300)

    def __call__(self, surprises):
        """−log p of each score, in nats, shape (m,)."""
        inside = np.interp(surprises, self._sorted, self._logs)
        return inside + np.log1p(np.maximum(surprises - self._sorted[-1], 0) / self._excess)
