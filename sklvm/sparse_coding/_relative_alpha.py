"""A strength of the penalty that is relative to the data."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.diagnostics import some_rows
from sklvm.settings import Settings
from sklvm.sparse_coding.penalties import PowerPenalty

__all__ = ["RelativeAlpha", "resolve_alpha"]

# Rows that tell of the data's scale.
N_ROWS = 1000


class RelativeAlpha(Settings):
    """α as a fraction of the least one with which codes are empty.

    A code on atoms of unit norm is zero where no |⟨x, d_k⟩| exceeds a threshold that grows with α.
    This is the α whose threshold is ``fraction`` times the median over the rows of

    - max_k |⟨x, d_k⟩|, where the dictionary is given;
    - ‖x‖, its greatest value for any atom, where the dictionary is learned.

    With l1 the threshold is α itself. For a‖z‖_q^q with 0 ≤ q < 1 a threshold t belongs to ::

        α a = (2(1 − q)t / (2 − q))^(2 − q) / (2(1 − q)),

    which is t²/2 for q = 0 and tends to t for q → 1: at z = 2(1 − q)t/(2 − q) the penalised error
    of a nonzero coefficient is that of 0, and its derivative is 0. Scaling the data scales α along,
    and codes with it.

    Parameters
    ----------
    fraction : float, default=0.1
        In (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import DictionaryLearner
    >>> from sklvm.sparse_coding import RelativeAlpha
    >>> X = np.random.default_rng(0).standard_normal((100, 5))
    >>> learner = DictionaryLearner(8, alpha=RelativeAlpha(0.2), random_state=0)
    >>> one, other = (learner.__sklearn_clone__().fit(unit * X) for unit in (1, 1000))
    >>> round(other.alpha_ / one.alpha_, 6)
    1000.0
    """

    _parameter_constraints = {"fraction": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, fraction=0.1):
        self.fraction = fraction

    def value(self, penalty, X, dictionary=None):
        """α for rows of data.

        Parameters
        ----------
        penalty : PowerPenalty or Constraint
            α does not enter the latter, and is 1.
        X : ndarray of shape (n, d)
            NaN where missing.
        dictionary : ndarray of shape (n_components, d), default=None
            Its rows the atoms; None: not known yet.
        """
        self.validate()
        if not isinstance(penalty, PowerPenalty):
            return 1.0
        X = np.nan_to_num(np.asarray(some_rows(X, N_ROWS), dtype=np.float64))
        if dictionary is None:
            greatest = np.linalg.norm(X, axis=1)
        else:
            norms = np.linalg.norm(dictionary, axis=1)
            greatest = np.abs(X @ (dictionary / np.where(norms > 0, norms, 1)[:, np.newaxis]).T)
            greatest = greatest.max(axis=1)
        threshold = self.fraction * float(np.median(greatest))
        return alpha_of_threshold(penalty, threshold) if threshold > 0 else 1.0


def alpha_of_threshold(penalty, threshold):
    """α with which the code on one atom of unit norm is zero up to that correlation."""
    q = penalty.exponent
    if q == 1:
        return threshold / penalty.slope if penalty.slope > 0 else threshold
    z = 2 * (1 - q) * threshold / (2 - q)
    return z ** (2 - q) / (2 * (1 - q) * penalty.slope)


def resolve_alpha(alpha, penalty, X=None, dictionary=None):
    """The number that ``alpha`` of an estimator stands for; 1 where X is not known yet."""
    if alpha == "auto":
        alpha = RelativeAlpha()
    if not isinstance(alpha, RelativeAlpha):
        return alpha
    if X is None:
        alpha.validate()
        return 1.0
    return alpha.value(penalty, X, dictionary)
