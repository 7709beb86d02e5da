"""Errors that are not bad input, and the warning of a fit."""

from sklearn.exceptions import ConvergenceWarning

__all__ = ["DivergenceError", "FitWarning"]


class FitWarning(ConvergenceWarning):
    """A fit ended, and something about it is a reason to mistrust it.

    There is one such warning a fit, whatever was found; ``diagnostics_`` of the estimator holds all
    that was looked at.
    """


class DivergenceError(ArithmeticError):
    """A fit left the finite numbers, or was about to.

    The estimator keeps the last finite parameters. The usual remedy is a smaller learning rate, a
    gradient-norm clip, or data that are scaled.
    """
