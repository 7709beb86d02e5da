"""Whether an objective and an optimiser go together."""

__all__ = ["check_compatible"]


def check_compatible(objective, optimizer):
    """Raise a ``ValueError`` where a full-batch optimiser meets a random criterion."""
    if optimizer.full_batch and not objective.deterministic:
        raise ValueError(
            f"The optimizer {type(optimizer).__name__} needs a deterministic objective, and "
            f"{type(objective).__name__} draws random numbers. Use optimizer='adam' or 'sgd', or a "
            "deterministic objective such as 'score_matching'."
        )
