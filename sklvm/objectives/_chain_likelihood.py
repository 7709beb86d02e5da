"""Base of the criteria that estimate the likelihood's gradient by Markov chains."""

from typing import Any, NamedTuple

import numpy as np

from sklvm._compat import StrOptions
from sklvm.energies import (
    ChainState,
    Gibbs,
    Marginal,
    PositivePhase,
    Score,
    free_entries,
    has_capabilities,
)
from sklvm.objectives._base import Objective
from sklvm.samplers import CHAINS, Chains, HamiltonianChains, chains_for
from sklvm.settings import StringShorthandMixin

__all__ = ["PERSISTENT_INPUTS", "ChainLikelihood", "MovedChains", "likelihood_gradient"]

# What keeps persistent chains from conditional energies.
PERSISTENT_INPUTS = (
    "its chains go on from batch to batch, and a conditional model has other inputs in each row"
)


class MovedChains(NamedTuple):
    """Chains, and floats by name that describe their last sweeps."""

    state: ChainState
    info: Any

    @property
    def visible(self):
        """The visible units of the chains."""
        return self.state.visible


class ChainLikelihood(StringShorthandMixin, Objective):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], the chains moved by ``sampler``.

    "auto" is Gibbs sampling for an energy that has it, which needs no tuning, and Hamiltonian Monte
    Carlo for one with a score.
    """

    has_value = False
    # Nested parameters of "auto" are those of the one sampler that has any.
    _shorthands = {"sampler": {**CHAINS, "auto": HamiltonianChains}}
    _parameter_constraints = {"sampler": [StrOptions({"auto", *CHAINS}), Chains]}

    @property
    def requires(self):
        if isinstance(self.sampler, str) and self.sampler == "auto":
            return ((Marginal, PositivePhase), (Gibbs, Score))
        return ((Marginal, PositivePhase), *self.chains().requires)

    def validate(self):
        super().validate()
        if isinstance(self.sampler, Chains):
            self.sampler.validate()
        return self

    def chains(self, energy=None):
        """The sampler that ``sampler`` stands for; "auto" depends on the energy."""
        if isinstance(self.sampler, Chains):
            return self.sampler
        return chains_for(energy) if self.sampler == "auto" else CHAINS[self.sampler]()

    def diagnostics(self, state):
        return state.info

    def _swept(self, energy, theta, state):
        """``MovedChains`` after ``n_steps`` sweeps; inputs of a conditional energy stay fixed."""
        return MovedChains(
            *self.chains(energy).run(energy, theta, state, self.n_steps, free=free_entries(energy))
        )


def likelihood_gradient(energy, theta, data, weights, chains, chain_weights):
    """Σ wᵢ ∂E(xᵢ)/∂θ − Σ vⱼ ∂E(yⱼ)/∂θ: the gradient of −log p where yⱼ ~ p(·; θ).

    If the energy has both ``PositivePhase`` and ``Gibbs``, latent units are inferred for the data,
    and the chains contribute their expected blocks, which need no further products where hidden
    units are independent given x. Otherwise latent units are summed out.

    Parameters
    ----------
    energy : energy
    theta : ndarray
    data : ChainState
        At the rows xᵢ; its cache saves products, its seed keys draws of latent units.
    weights : ndarray
    chains : ChainState
        At yⱼ, after a sweep at θ.
    chain_weights : ndarray
    """
    signed = np.concatenate([weights, -chain_weights])
    if has_capabilities(energy, PositivePhase, Gibbs):
        positive = energy.infer(theta, data.visible, data)
        negative = energy.expected_blocks(theta, chains)
        blocks = tuple(np.vstack(pair) for pair in zip(positive, negative, strict=True))
        return energy.joint_gradient(theta, blocks, signed)
    return energy.evaluate(theta, np.vstack([data.visible, chains.visible]))[1](signed)
