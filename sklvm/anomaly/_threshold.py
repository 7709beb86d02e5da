"""Where inliers end, and by which rows."""

import numpy as np

__all__ = ["calibration_split", "threshold"]


def calibration_split(share, n, rng):
    """Indices of the rows to fit, and of those to hold out; None and None without a share."""
    if share is None:
        return None, None
    n_held_out = round(share * n)
    if not 0 < n_held_out < n - 1:
        raise ValueError(
            f"calibration={share} of {n} samples leaves fewer than 2 rows to fit or none to hold "
            "out."
        )
    order = rng.permutation(n)
    return np.sort(order[n_held_out:]), np.sort(order[:n_held_out])


def threshold(scores, weights, contamination):
    """Below it lies as much of the weight as can be, but at most the share `contamination`."""
    scores, weights = scores[weights > 0], weights[weights > 0]
    order = np.argsort(scores)
    weight_below = np.cumsum(weights[order]) - weights[order]
    allowed = contamination * weights.sum() * (1 + 1e-12)  # 0.1 · 30 rows are 3, not 2.9999
    lowest_inlier = scores[order][weight_below <= allowed][-1]
    if not np.isfinite(lowest_inlier) or np.isnan(scores).any():
        raise ValueError(
            f"{np.mean(~np.isfinite(scores)):.0%} of the training rows have no finite score, "
            f"which leaves no threshold for contamination={contamination}."
        )
    below = scores[scores < lowest_inlier]
    highest_outlier = below.max(initial=-np.inf)
    if not np.isfinite(highest_outlier):
        return float(lowest_inlier)
    # In the middle of a gap, the last bits of a score do not decide. Halves do not overflow;
    # between neighbours there is no middle.
    middle = highest_outlier / 2 + lowest_inlier / 2
    return float(middle if highest_outlier < middle else lowest_inlier)
