"""The variational bound as a criterion."""

from sklvm.energies import Bound
from sklvm.objectives._base import Objective

__all__ = ["VariationalBound"]


class VariationalBound(Objective):
    """J(θ) = E_x[F(x; θ)], F(x) = E_q[−log p(x, z) + log q(z|x)] ≥ −log p(x) in closed form.

    −J is the evidence lower bound of a normalised p. It draws no random numbers.

    Examples
    --------
    >>> from sklvm.objectives import VariationalBound
    >>> VariationalBound().deterministic
    True
    """

    requires = (Bound,)
    deterministic = True

    def step(self, energy, theta, X, weights, state, rng):
        bound, pullback = energy.bound(theta.energy, X)
        return float(weights @ bound), theta.like(pullback(weights)), state
