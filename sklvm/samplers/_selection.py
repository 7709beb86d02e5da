"""The sampler that suits an energy."""

from sklvm.energies import Gibbs, has_capabilities
from sklvm.samplers._gibbs_chains import GibbsChains
from sklvm.samplers._hamiltonian_chains import HamiltonianChains, langevin_chains

__all__ = ["CHAINS", "chains_for"]

CHAINS = {
    "gibbs": GibbsChains,
    "hmc": HamiltonianChains,
    "langevin": langevin_chains,
}


def chains_for(energy):
    """Gibbs sampling for an energy that has it, which needs no tuning; else Hamiltonian chains."""
    return GibbsChains() if has_capabilities(energy, Gibbs) else HamiltonianChains()
