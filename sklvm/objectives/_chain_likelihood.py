"""What the criteria share that follow the likelihood's gradient by Markov chains."""

import numpy as np

from sklvm._compat import StrOptions
from sklvm.energies import BlockGibbs, IndependentBinaryLatents, Marginal, Score
from sklvm.objectives._base import Objective
from sklvm.samplers import CHAINS, Chains, HamiltonianChains
from sklvm.settings import StringShorthandMixin

__all__ = ["ChainLikelihood"]


class ChainLikelihood(StringShorthandMixin, Objective):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], the chains moved by ``sampler``.

    "auto" is block Gibbs sampling for an energy that has it, which needs no tuning, and
    Hamiltonian Monte Carlo for one with a score.
    """

    has_value = False
    # Nested parameters of "auto" are those of the one sampler that has any.
    _shorthands = {"sampler": {**CHAINS, "auto": HamiltonianChains}}
    _parameter_constraints = {"sampler": [StrOptions({"auto", *CHAINS}), Chains]}

    @property
    def requires(self):
        if isinstance(self.sampler, str) and self.sampler == "auto":
            return (Marginal, (BlockGibbs, Score))
        return (Marginal, *self.chains().requires)

    def validate(self):
        super().validate()
        if isinstance(self.sampler, Chains):
            self.sampler.validate()
        return self

    def chains(self, energy=None):
        """The sampler that ``sampler`` stands for; "auto" depends on the energy."""
        if isinstance(self.sampler, Chains):
            return self.sampler
        automatic = "block_gibbs" if isinstance(energy, BlockGibbs) else "hmc"
        return CHAINS[automatic if self.sampler == "auto" else self.sampler]()

    def diagnostics(self, state):
        return state.diagnostics()

    @staticmethod
    def gradient(
        energy, theta, X, weights, chains, chain_weights, *, data_means=None, chain_means=None
    ):
        """Σ wᵢ ∂E(xᵢ)/∂θ − Σ vⱼ ∂E(yⱼ)/∂θ: the gradient of −log p where yⱼ ~ p(·; θ).

        Of an energy with ``IndependentBinaryLatents``, means that are known already need not be
        computed again.
        """
        rows, signed = np.vstack([X, chains]), np.concatenate([weights, -chain_weights])
        if not goes_by_means(energy):
            _, pullback = energy.evaluate(theta, rows)
            return pullback(signed)
        means = [
            energy.posterior(theta, points) if known is None else known
            for points, known in ((X, data_means), (chains, chain_means))
        ]
        return energy.joint_gradient(theta, (rows, np.vstack(means)), signed)


def goes_by_means(energy):
    """Whether the chains' hidden means serve the gradient, too: they know them already."""
    return isinstance(energy, BlockGibbs) and isinstance(energy, IndependentBinaryLatents)
