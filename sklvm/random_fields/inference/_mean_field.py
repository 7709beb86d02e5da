"""Mean field."""

from numbers import Integral, Real

import numpy as np
from scipy.special import xlogy

from sklvm._compat import Interval
from sklvm.kernels import uniform
from sklvm.random_fields.inference._base import Inference
from sklvm.random_fields.inference._pairwise_model import Marginals, row_softmax

__all__ = ["MeanField"]

_START_NOISE = 1e-3


class MeanField(Inference):
    """Independent sites, as close to the field as independent ones can be.

    ::

        q_s(z) ∝ exp(−u_s(z) − Σ_t w_st Σ_y q_t(y) T_st(z, y))
        log Z ≥ −Σ_s (q_s·u_s) − Σ_{s~t} w_st q_sᵀ T_st q_t + Σ_s H(q_s)

    The sites of one colour at a time: each sweep raises the bound, where all at once would
    oscillate. It starts at sites without neighbours, and ends at a local maximum.

    Parameters
    ----------
    max_iter : int, default=1000
        Greatest number of sweeps.
    tol : float, default=1e-6
        Done where no probability would change by more.

    References
    ----------
    Wainwright and Jordan, "Graphical models, exponential families, and variational inference",
    Foundations and Trends in Machine Learning 1 (2008), section 5.

    Examples
    --------
    >>> from sklvm.random_fields.inference import MeanField, PairwiseModel
    >>> model = PairwiseModel([[0, 1.5], [0, 1.5], [3, 0]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> marginals = MeanField().marginals(model)
    >>> marginals.bound, round(marginals.log_partition, 4)  # exact: -1.3048
    ('lower', -1.56)
    """

    _parameter_constraints = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, max_iter=1000, tol=1e-6):
        self.max_iter = max_iter
        self.tol = tol

    def labels(self, model, random_state=None):
        """The most probable label of each site."""
        return self.marginals(model).sites.argmax(axis=1)

    def marginals(self, model, random_state=None, n_threads=None, start=None):
        q = _independent(model.unary) if start is None else start.copy()
        dirty = np.ones(model.n_sites, dtype=np.uint8)
        sweeps = model.sweeps(n_threads)
        n_iter, converged = 0, False
        while n_iter < self.max_iter and not converged:
            converged = sweeps.mean_field(self.tol, q, dirty) == 0
            n_iter += 1
        if not converged:
            self._warn_unconverged(self.max_iter)
        ends = model.graph.edges.T

        def edges():
            return q[ends[0]][:, :, np.newaxis] * q[ends[1]][:, np.newaxis]

        def bound():
            costs = (edges() * model.tables).sum(axis=(1, 2))
            return float(-np.vdot(q, model.unary) - model.weights @ costs - xlogy(q, q).sum())

        return Marginals(q, edges, bound, "lower", n_iter, converged, q)


def _independent(unary):
    """Sites without neighbours, moved a little: where labels can be exchanged, all of them alike is
    a fixed point, and a saddle if the coupling is strong."""
    return row_softmax(_START_NOISE * (uniform(unary.shape, 0) - 0.5) - unary)
