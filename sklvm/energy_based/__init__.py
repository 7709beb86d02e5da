"""Energy-based models as estimators."""

from sklvm.energy_based._base import EnergyBasedModel, LatentEnergyBasedModel
from sklvm.energy_based._bernoulli_rbm import BernoulliRBM
from sklvm.energy_based._boltzmann_machine import BoltzmannMachine
from sklvm.energy_based._deep_belief_network import DeepBeliefNetwork
from sklvm.energy_based._deep_boltzmann_machine import DeepBoltzmannMachine
from sklvm.energy_based._deep_energy_model import DeepEnergyModel
from sklvm.energy_based._gated_rbm import GatedRBM
from sklvm.energy_based._gaussian_rbm import GaussianRBM
from sklvm.energy_based._hopfield_network import HopfieldNetwork
from sklvm.energy_based._mean_covariance_rbm import MeanCovarianceRBM
from sklvm.energy_based._semi_restricted_rbm import SemiRestrictedRBM
from sklvm.energy_based._up_down import UpDown

__all__ = [
    "BernoulliRBM",
    "BoltzmannMachine",
    "DeepBeliefNetwork",
    "DeepBoltzmannMachine",
    "DeepEnergyModel",
    "EnergyBasedModel",
    "GatedRBM",
    "GaussianRBM",
    "HopfieldNetwork",
    "LatentEnergyBasedModel",
    "MeanCovarianceRBM",
    "SemiRestrictedRBM",
    "UpDown",
]
