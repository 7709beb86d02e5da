"""Where inliers end."""

import numpy as np

__all__ = ["threshold"]


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
