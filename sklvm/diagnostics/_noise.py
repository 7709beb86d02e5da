"""Whether the noise of a noise-contrastive criterion covers the data, and nothing else."""

import numpy as np
from scipy.linalg import LinAlgError, eigh

from sklvm.diagnostics._diagnosis import Diagnosis

__all__ = ["noise_coverage"]

# Variance of the data in units of that of the noise, along the worst direction.
MIN_RATIO, MAX_RATIO = 1e-3, 30.0
# Directions are found from so many rows for each feature at least; from fewer, features are taken.
ROWS_PER_FEATURE = 5


def noise_coverage(X, noise):
    """The variance of the data in that of the noise, along the direction where they differ most.

    Where the data hardly vary and the noise does, one can tell them apart from that direction
    alone, and nothing is learned about the rest; nor is log Z, for which rows of noise have to lie
    where the model is. Where the noise varies much less than the data, the ratio of the two is
    never seen on the outer part of the data.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows of the data, complete.
    noise : ndarray of shape (m, d)
        Draws of the noise.
    """
    X, noise = np.asarray(X, np.float64), np.asarray(noise, np.float64)
    scale = noise.std(axis=0)
    scale[scale == 0] = 1.0
    X, noise = X / scale, noise / scale
    ratios = X.var(axis=0)
    if min(len(X), len(noise)) >= ROWS_PER_FEATURE * X.shape[1]:
        of_noise = np.cov(noise.T, ddof=0).reshape(X.shape[1], -1) + 1e-9 * np.eye(X.shape[1])
        try:
            ratios = eigh(np.cov(X.T, ddof=0).reshape(X.shape[1], -1), of_noise, eigvals_only=True)
        except LinAlgError:
            pass
    lowest, highest = max(float(ratios.min()), 0.0), float(ratios.max())
    if highest > MAX_RATIO:
        return Diagnosis(
            highest,
            True,
            f"The noise does not cover the data, whose variance is {highest:.3g} times that of the "
            "noise in some direction. Use a reference with heavier or wider support.",
        )
    return Diagnosis.of(
        lowest,
        lowest < MIN_RATIO,
        "The noise covers directions that the data lack: there the data's variance is "
        f"{lowest:.1g} times that of the noise. Leave out constant and dependent features, or "
        "reduce the dimension (PCA), before noise-contrastive estimation.",
    )
