"""The variational bound as a criterion."""

from sklvm.energies import Bound, ExactPartition
from sklvm.objectives._base import Objective
from sklvm.partition import MAX_TERMS

__all__ = ["VariationalBound"]


class VariationalBound(Objective):
    """J(θ) = E_x[F(x; θ)] + log Z(θ), F(x) = E_q[−log p̃(x, z) + log q(z|x)], in closed form.

    −J is a lower bound of the mean of log p(x): the evidence lower bound of a density that is
    normalised as it is, where log Z = 0. It draws no random numbers.

    Examples
    --------
    >>> from sklvm.objectives import VariationalBound
    >>> VariationalBound().deterministic
    True
    """

    requires = (Bound, ExactPartition)
    deterministic = True

    def init(self, energy, theta, X, counts, rng):
        """Raises ``ValueError`` where the sum over states is too long."""
        if energy.n_terms > MAX_TERMS:
            raise ValueError(
                "VariationalBound needs log Z, by a sum of at most 2^20 terms, as over the states "
                f"of 20 binary units, and this {type(energy).__name__} has about "
                f"2^{energy.n_terms.bit_length() - 1}. Use objective='pcd'."
            )
        return super().init(energy, theta, X, counts, rng)

    def step(self, energy, theta, X, weights, state, rng):
        bound, pullback = energy.bound(theta.energy, X)
        log_partition, gradient = energy.log_partition_and_gradient(theta.energy)
        total = weights.sum()
        value = float(weights @ bound) + float(total) * log_partition
        return value, theta.like(pullback(weights) + total * gradient), state
