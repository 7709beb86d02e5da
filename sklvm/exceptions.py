"""Errors that are not bad input."""

__all__ = ["DivergenceError"]


class DivergenceError(ArithmeticError):
    """A fit left the finite numbers, or was about to.

    The estimator keeps the last finite parameters. The usual remedy is a smaller learning rate, a
    gradient-norm clip, or data that are scaled.
    """
