"""What the public methods of every estimator promise of floating point."""

from functools import wraps
from inspect import getattr_static, isfunction

import numpy as np

__all__ = ["FloatingPointMixin"]


class FloatingPointMixin:
    """Underflow is zero, and a score that leaves the range of its type is −∞.

    A negligible probability underflows to zero, which is right; ``np.seterr(all="raise")`` in a
    user's script shall not make an error of it. So all public methods run where underflow is
    ignored. In ``score_samples`` overflow is ignored too: of a row so far away that intermediate
    results overflow, the score is −∞ and never NaN.

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
            return np.where(np.isnan(scores), scores.dtype.type(-np.inf), scores)

    score_samples._ignores_underflow = True
    return score_samples
