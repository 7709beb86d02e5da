"""Iterated conditional modes."""

from numbers import Integral

import numpy as np

from sklvm._compat import Interval
from sklvm.random_fields.inference._base import Inference

__all__ = ["IteratedConditionalModes"]


class IteratedConditionalModes(Inference):
    """Each site takes the label of least energy given its neighbours', until none changes.

    The energy falls with every change, and ends at a local minimum: no single site can lower it.
    Fast, and weak where a whole region would have to change.

    Parameters
    ----------
    max_iter : int, default=1000
        Greatest number of sweeps.

    References
    ----------
    Besag, "On the statistical analysis of dirty pictures", J. R. Statist. Soc. B 48 (1986).

    Examples
    --------
    >>> from sklvm.random_fields.inference import IteratedConditionalModes, PairwiseModel
    >>> model = PairwiseModel([[0, 1], [1, 0], [0, 1]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> IteratedConditionalModes().labels(model)  # 0, 0, 0 has less energy
    array([1, 1, 1])
    """

    has_marginals = has_log_partition = False
    _parameter_constraints = {"max_iter": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, max_iter=1000):
        self.max_iter = max_iter

    def labels(self, model, random_state=None):
        return self.improve(model, model.unary.argmin(axis=1))

    def improve(self, model, labels, n_threads=None):
        """Labels from which no site can lower the energy by itself, from those given."""
        labels = np.array(labels, dtype=np.int32)
        dirty = np.ones(model.n_sites, dtype=np.uint8)
        sweeps = model.sweeps(n_threads)
        for _ in range(self.max_iter):
            if sweeps.iterated_conditional_modes(labels, dirty) == 0:
                break
        else:
            self._warn_unconverged(self.max_iter)
        return labels.astype(np.int64)
