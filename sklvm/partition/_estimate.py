"""An estimate of log Z and how far to trust it."""

from dataclasses import dataclass

__all__ = ["PartitionEstimate"]


@dataclass(frozen=True)
class PartitionEstimate:
    """log Z in nats; of a conditional energy an array, with log Z(x) of each row.

    Attributes
    ----------
    value : float or ndarray of shape (n,)
        log Z, or its estimate.
    std_err : float or ndarray of shape (n,)
        Standard error of the estimate in nats, by the delta method; 0 where exact.
    effective_sample_size : float or ndarray of shape (n,)
        Of the importance weights, at most the number of chains; infinite where exact. Where it is a
        few per cent of the chains the standard error is too small.
    method : {"exact", "ais", "reverse_ais"}
    bracket : tuple of float or None
        (lower, upper): the values of annealing from the reference to the model, and back. They
        bound log Z in expectation, each off by a standard error of its own; the upper one as far as
        the way back starts at draws from the model. None where not both were run.
    """

    value: float
    std_err: float
    effective_sample_size: float
    method: str
    bracket: tuple | None = None
