"""What one look at a fit has found."""

from typing import NamedTuple

import numpy as np

__all__ = ["Diagnosis", "some_rows"]

# Rows that are looked at, at most.
MAX_ROWS = 500


class Diagnosis(NamedTuple):
    """A measure of a fit, and whether it tells of a problem.

    Attributes
    ----------
    value : float
        The measure; its meaning depends on the diagnosis.
    is_problem : bool
        Whether it is a reason to mistrust the fit.
    message : str
        What is wrong and what helps, in whole sentences; empty where all is well.
    """

    value: float
    is_problem: bool = False
    message: str = ""

    @classmethod
    def of(cls, value, is_problem, message):
        """With the message only where there is a problem."""
        is_problem = bool(is_problem)
        return cls(float(value), is_problem, message if is_problem else "")


def some_rows(X, n=MAX_ROWS):
    """At most `n` rows of X, evenly spread over it."""
    return X if X.shape[0] <= n else X[np.linspace(0, X.shape[0] - 1, n).astype(int)]
