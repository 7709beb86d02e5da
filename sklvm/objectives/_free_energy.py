"""The variational free energy as a criterion."""

from sklvm.energies import FreeEnergy
from sklvm.objectives._base import Objective

__all__ = ["VariationalFreeEnergy"]


class VariationalFreeEnergy(Objective):
    """J(θ) = E_x[F(x; θ)], F(x) = E_q[−log p(x, z) + log q(z|x)] ≥ −log p(x) in closed form.

    −J is the evidence lower bound. It draws no random numbers.

    Examples
    --------
    >>> from sklvm.objectives import VariationalFreeEnergy
    >>> VariationalFreeEnergy().deterministic
    True
    """

    requires = (FreeEnergy,)
    deterministic = True

    def step(self, energy, theta, X, weights, state, rng):
        free_energy, pullback = energy.free_energy(theta.energy, X)
        return float(weights @ free_energy), theta.like(pullback(weights)), state
