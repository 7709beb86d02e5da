"""How the public methods of every estimator treat underflow, overflow and NaN."""

from functools import wraps
from inspect import getattr_static, isfunction

import numpy as np
from scipy.sparse import issparse

__all__ = ["FloatingPointMixin"]


class FloatingPointMixin:
    """Underflow is zero, and the score of a row that leaves the range of its type is −∞.

    A negligible probability underflows to zero, which is right; ``np.seterr(all="raise")`` in a
    user's script shall not make an error of it. So all public methods run where underflow is
    ignored. In ``score_samples`` overflow is ignored too: where a row is so far away that powers of
    its entries overflow, ∞ − ∞ among the intermediate results means −∞. A score that is not a
    number for any other reason would be a defect of the library, and is an error.

    The methods of a subclass are wrapped when it is defined, those of its mix-ins included.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for owner in cls.__mro__:
            if not owner.__module__.startswith("sklvm."):
                continue
            for name, method in list(vars(owner).items()):
                if name.startswith("_") or not isfunction(method) or _is_wrapped(method):
                    continue
                if getattr_static(cls, name) is method:
                    is_score = name == "score_samples"
                    setattr(cls, name, _scoring(method) if is_score else _computing(method))


def _is_wrapped(method):
    return getattr(method, "_ignores_underflow", False)


def _computing(method):
    @wraps(method)
    def compute(self, *args, **kwargs):
        with np.errstate(under="ignore"):
            return method(self, *args, **kwargs)

    compute._ignores_underflow = True
    return compute


def _scoring(method):
    @wraps(method)
    def score_samples(self, *args, **kwargs):
        with np.errstate(under="ignore", over="ignore", invalid="ignore"):
            scores = np.asarray(method(self, *args, **kwargs))
        undefined = np.isnan(scores)
        if undefined.any():
            is_far = _is_far(args[0] if args else kwargs["X"], scores.dtype)
            if (undefined & ~is_far).any():
                raise FloatingPointError(
                    f"The score of row {np.argmax(undefined & ~is_far)} by {type(self).__name__} "
                    "is not a number. Scale the data; if that does not help, please report it."
                )
            scores = np.where(undefined, scores.dtype.type(-np.inf), scores)
        return scores

    score_samples._ignores_underflow = True
    return score_samples


def _is_far(X, dtype):
    """Rows with an entry whose fourth power is beyond the largest number of the type."""
    X = X.toarray() if issparse(X) else np.asarray(X)
    limit = float(np.finfo(dtype).max) ** 0.25
    return (np.abs(X.astype(np.float64)) > limit).any(axis=1)
