"""Markov chains: every sampler has the same state and the same sweep."""

from sklvm.energies import ChainState
from sklvm.samplers._chains import Chains
from sklvm.samplers._dual_averaging import DualAveraging
from sklvm.samplers._gibbs_chains import GibbsChains
from sklvm.samplers._hamiltonian_chains import HamiltonianChains, HamiltonianTuning
from sklvm.samplers._hamiltonian_monte_carlo import HamiltonianMonteCarlo, HamiltonianState
from sklvm.samplers._selection import CHAINS, chains_for

__all__ = [
    "CHAINS",
    "ChainState",
    "Chains",
    "DualAveraging",
    "GibbsChains",
    "HamiltonianChains",
    "HamiltonianMonteCarlo",
    "HamiltonianState",
    "HamiltonianTuning",
    "chains_for",
]
