"""Samplers as pairs of init and step with an explicit state."""

from sklvm.samplers._block_gibbs import BlockGibbs, GibbsState
from sklvm.samplers._chains import (
    CHAINS,
    Chains,
    GibbsChains,
    HamiltonianChains,
    HamiltonianChainsState,
)
from sklvm.samplers._dual_averaging import DualAveraging
from sklvm.samplers._hamiltonian_monte_carlo import HamiltonianMonteCarlo, HamiltonianState

__all__ = [
    "CHAINS",
    "BlockGibbs",
    "Chains",
    "DualAveraging",
    "GibbsChains",
    "GibbsState",
    "HamiltonianChains",
    "HamiltonianChainsState",
    "HamiltonianMonteCarlo",
    "HamiltonianState",
]
