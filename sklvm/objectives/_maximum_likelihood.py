"""Maximum likelihood, exactly."""

from sklvm.energies import (
    ConditionalPartition,
    EnumeratedMarginal,
    ExactPartition,
    Marginal,
    has_capabilities,
)
from sklvm.objectives._base import ONE_LOG_PARTITION, Objective
from sklvm.partition import MAX_TERMS

__all__ = ["MaximumLikelihood"]


class MaximumLikelihood(Objective):
    """J(θ) = E_data[E(x; θ)] + log Z(θ), the mean of −log p(x) in nats, without sampling.

    Its gradient is E_data[∂E/∂θ] − E_model[∂E/∂θ] with both expectations exact: in closed form, or
    as a sum of at most 2²⁰ terms, such as the states of 20 binary units. Every other objective can
    be compared with it. Latent units are summed out in E, where there is no formula by a sum for
    each row. Every step computes the sum for log Z once, so that large batches are cheaper; L-BFGS
    computes it once for every ``batch_size`` rows. A conditional energy p(y | x) needs a sum for
    each row.

    Examples
    --------
    >>> from sklvm.objectives import MaximumLikelihood
    >>> MaximumLikelihood()
    MaximumLikelihood()
    """

    requires = ((Marginal, EnumeratedMarginal), (ExactPartition, ConditionalPartition))
    deterministic = True

    def conditional_obstacle(self, energy):
        return None if isinstance(energy, ConditionalPartition) else ONE_LOG_PARTITION

    def init(self, energy, theta, X, counts, rng):
        """Raises ``ValueError`` where the sum over states is too long."""
        if max(energy.n_terms, getattr(energy, "n_latent_terms", 1)) > MAX_TERMS:
            raise ValueError(
                "MaximumLikelihood sums over all states: at most 2^20, as of 20 binary units, and "
                f"this {type(energy).__name__} has about 2^{energy.n_terms.bit_length() - 1}. Use "
                "objective='pcd' or 'parallel_tempering'."
            )
        return super().init(energy, theta, X, counts, rng)

    def step(self, energy, theta, X, weights, state, rng):
        is_marginal = has_capabilities(energy, Marginal)
        evaluate = energy.evaluate if is_marginal else energy.evaluate_by_states
        energies, pullback = evaluate(theta.energy, X)
        if isinstance(energy, ConditionalPartition):
            log_partitions, partition_pullback = energy.conditional_log_partition(theta.energy, X)
            value = float(weights @ (energies + log_partitions))
            return value, theta.like(pullback(weights) + partition_pullback(weights)), state
        log_partition, gradient = energy.log_partition_and_gradient(theta.energy)
        total = weights.sum()
        value = float(weights @ energies) + float(total) * log_partition
        return value, theta.like(pullback(weights) + total * gradient), state
