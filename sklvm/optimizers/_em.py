"""Expectation maximisation, as an optimiser of models that know their complete-data statistics."""

from numbers import Integral, Real

from sklvm._compat import Interval
from sklvm.settings import Settings

__all__ = ["EM"]


class EM(Settings):
    """Expectation maximisation: alternating maximisation of a bound on the likelihood.

    ::

        F(q, θ) = Σᵢ wᵢ Σ_k q_ik [log p(xᵢ, k; θ) − log q_ik] + log p(θ)
                ≤ Σᵢ wᵢ log p(xᵢ; θ) + log p(θ).

    The E-step sets q to the posterior p(k | x; θ), where the bound is tight; the M-step maximises F
    over θ, in closed form from merged statistics. Without batches an iteration takes all rows.

    Parameters
    ----------
    incremental : bool, default=False
        What batches mean. False is online (stepwise) EM: the statistics of a batch join those of
        the past, which fade by `forgetting`. True keeps the statistics of each batch and replaces
        them when it comes again: F never falls [1]_.
    forgetting : float, default=1.0
        ρ ≥ 0 of online EM: after rows of total weight t, those at weight s count (s / t)^ρ. 0
        forgets nothing. It is stepwise EM [2]_ with steps of (ρ + 1) / t.
    hard : bool, default=False
        Whether each row goes to its most probable component altogether. What is maximised is then
        the likelihood of rows and components together, as k-means does.
    start_temperature : float, default=1.0
        T ≥ 1 at which annealing starts: q ∝ p(k | x)^(1/T), and T falls to 1 geometrically [3]_.
    n_annealing_iterations : int, default=20
        Iterations that it takes; of no effect where `start_temperature` is 1.

    References
    ----------
    .. [1] Neal, Hinton, "A view of the EM algorithm that justifies incremental, sparse, and other
       variants", in "Learning in graphical models" (1998).
    .. [2] Cappé, Moulines, "On-line expectation-maximization algorithm for latent data models",
       JRSS B 71 (2009).
    .. [3] Ueda, Nakano, "Deterministic annealing EM algorithm", Neural Networks 11 (1998).

    Examples
    --------
    >>> from sklvm.optimizers import EM
    >>> EM(start_temperature=4.0)
    EM(start_temperature=4.0)
    """

    _parameter_constraints = {
        "incremental": ["boolean"],
        "forgetting": [Interval(Real, 0, None, closed="left")],
        "hard": ["boolean"],
        "start_temperature": [Interval(Real, 1, None, closed="left")],
        "n_annealing_iterations": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        incremental=False,
        forgetting=1.0,
        hard=False,
        start_temperature=1.0,
        n_annealing_iterations=20,
    ):
        self.incremental = incremental
        self.forgetting = forgetting
        self.hard = hard
        self.start_temperature = start_temperature
        self.n_annealing_iterations = n_annealing_iterations

    def inverse_temperature(self, iteration):
        """1/T of an iteration; the first is number 0."""
        left = 1 - iteration / self.n_annealing_iterations
        return self.start_temperature ** -max(left, 0.0)
