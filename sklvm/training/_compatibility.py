"""Whether an objective, an optimiser and a way of training go together."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["check_compatible", "check_complete"]


def check_compatible(objective, optimizer, links=()):
    """Raise a ``ValueError`` where a full-batch optimiser meets a random criterion or link."""
    if not optimizer.full_batch:
        return
    if not objective.deterministic:
        raise ValueError(
            f"The optimizer {type(optimizer).__name__} needs a deterministic objective, and "
            f"{type(objective).__name__} draws random numbers. Use optimizer='adam' or 'sgd', or a "
            "deterministic objective such as 'score_matching' or "
            "NoiseContrastiveEstimation(frozen_noise=True)."
        )
    for link in links:
        if link.moves or not link.deterministic:
            raise ValueError(
                f"{link.asked_by} works batch by batch, and {type(optimizer).__name__} needs one "
                "criterion over all rows that stays the same. Use optimizer='adam' or 'sgd'."
            )


def check_complete(optimizer, X):
    """Raise a ``ValueError`` where a full-batch optimiser meets data with missing entries."""
    if optimizer.full_batch and np.isnan(X.data if issparse(X) else X).any():
        raise ValueError(
            f"X contains NaN. Missing entries are drawn anew for each step, and "
            f"{type(optimizer).__name__} needs a criterion without noise. Use optimizer='adam' or "
            "'sgd'."
        )
