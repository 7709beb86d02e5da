"""The distribution of each unit given the others, where the units are binary."""

import numpy as np

__all__ = ["BinarySites"]


class BinarySites:
    """Site conditionals of an energy over {0, 1}^d, from the logits of its units.

    A subclass gives ``flip_logits(theta, X)``: u of shape (n, d), the energy with bit j off minus
    that with it on, so that p(xⱼ = 1 | all others) = s(uⱼ), and ``pullback(V)`` = Σᵢⱼ vᵢⱼ ∂uᵢⱼ/∂θ.
    """

    def site_logits(self, theta, X):
        """(0, u) for each unit: shape (n, d, 2), and ``pullback(V)``."""
        logits, pullback = self.flip_logits(theta, X)
        pairs = np.stack([np.zeros_like(logits), logits], axis=2)
        return pairs, lambda V: pullback(V[..., 1])

    def site_states(self, X):
        """X as integers.

        Raises
        ------
        ValueError
            For values other than 0 and 1.
        """
        if not np.all((X == 0) | (X == 1)):
            raise ValueError(
                f"Single bits are flipped: that needs data of 0 and 1, got values from {X.min():g} "
                f"to {X.max():g}."
            )
        return X.astype(np.intp)
