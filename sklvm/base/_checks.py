"""Checks of arguments that the methods of several families take."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

__all__ = ["FLOATS", "check_count", "check_latent_rows"]

# Data types that go through a fit as they are; everything else becomes the first of them.
FLOATS = [np.float64, np.float32]


def check_count(name, value, least=1):
    """Raise a ``ValueError`` unless the argument `name` is an integer of at least `least`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")


def check_latent_rows(estimator, Z, n_components, *, name="Z", accept_sparse=False):
    """Rows of latent variables, as a fitted estimator maps them back to data.

    Parameters
    ----------
    estimator : estimator
    Z : array-like of shape (n_samples, n_components)
    n_components : int
        The width that Z has to have.
    name : str, default="Z"
        The name of the argument in error messages.
    accept_sparse : str or bool, default=False
        As in ``sklearn.utils.check_array``.

    Returns
    -------
    Z : ndarray or sparse matrix, of a type in ``FLOATS``

    Raises
    ------
    ValueError
        For bad values, and for another number of columns.
    """
    check_is_fitted(estimator)
    Z = check_array(Z, dtype=FLOATS, accept_sparse=accept_sparse, input_name=name)
    if Z.shape[1] != n_components:
        raise ValueError(
            f"{name} has {Z.shape[1]} columns, and this {type(estimator).__name__} has "
            f"{n_components} components."
        )
    return Z
