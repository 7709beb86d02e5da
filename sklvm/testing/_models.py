"""Small energies with parameters and data: what an objective is tried on."""

import numpy as np

from sklvm.energies import (
    BernoulliRBMEnergy,
    BinaryFactorEnergy,
    BoltzmannMachineEnergy,
    DecoderEnergy,
    DeepBoltzmannMachineEnergy,
    DeepEnergy,
    GatedGaussianRBMEnergy,
    GatedRBMEnergy,
    GaussianEnergy,
    GaussianLikelihood,
    GaussianMixtureEnergy,
    GaussianRBMEnergy,
    HiddenBoltzmannMachineEnergy,
    MeanCovarianceRBMEnergy,
    NormalizedMeanCovarianceRBMEnergy,
    PottsEnergy,
    SemiRestrictedGaussianRBMEnergy,
    SemiRestrictedRBMEnergy,
)
from sklvm.graphs import grid_graph

__all__ = ["random_parameters", "small_models"]


def random_parameters(energy, rng, scale=0.7):
    """θ ~ N(0, scale²): far from any symmetric start."""
    return scale * rng.standard_normal(energy.layout.size)


def small_models(n_samples=12):
    """Every energy in ``sklvm.energies`` at its smallest, by name.

    Parameters
    ----------
    n_samples : int, default=12

    Returns
    -------
    models : dict of str to tuple
        (energy, theta, X), float64.

    Examples
    --------
    >>> from sklvm.testing import small_models
    >>> sorted(small_models())  # doctest: +NORMALIZE_WHITESPACE
    ['bernoulli_rbm', 'binary_factors', 'boltzmann_machine', 'decoder', 'deep',
     'deep_boltzmann_machine', 'gated_gaussian_rbm', 'gated_rbm', 'gaussian', 'gaussian_mixture',
     'gaussian_rbm', 'hidden_boltzmann_machine', 'mean_covariance_rbm', 'no_hidden_layer',
     'normalized_mean_covariance_rbm', 'potts', 'semi_restricted_gaussian_rbm',
     'semi_restricted_rbm', 'two_hidden_layers']
    """
    rng = np.random.default_rng(0)
    real = {
        "no_hidden_layer": DeepEnergy(3, 4, (), sigma=0.8),
        "deep": DeepEnergy(3, 4, (5,), sigma="learn"),
        "two_hidden_layers": DeepEnergy(3, 4, (5, 3), activation="tanh", sigma="learn"),
        "gaussian_mixture": GaussianMixtureEnergy(3, 3),
        "gaussian_rbm": GaussianRBMEnergy(3, 4, sigma="learn_diagonal"),
        "normalized_mean_covariance_rbm": NormalizedMeanCovarianceRBMEnergy(3, 2, 2),
        "decoder": DecoderEnergy(GaussianLikelihood(3, "learn_diagonal"), 2, (4,), "tanh"),
        "binary_factors": BinaryFactorEnergy(3, 3, sigma_floor=0.3),
    }
    X = rng.standard_normal((n_samples, 3))
    models = {name: (energy, random_parameters(energy, rng), X) for name, energy in real.items()}

    covariances = MeanCovarianceRBMEnergy(3, 2, 2, np.array([[0.7, 0.3], [0.2, 0.8]]), "learn")
    theta = random_parameters(covariances, rng)
    np.abs(theta, out=theta)  # P ≥ 0 among them
    models["mean_covariance_rbm"] = covariances, theta, X

    gaussian = GaussianEnergy(3)
    factor = np.eye(3) + 0.3 * rng.standard_normal((3, 3))
    theta = gaussian.pack(rng.standard_normal(3), factor @ factor.T)
    models["gaussian"] = gaussian, theta, X

    gated = GatedGaussianRBMEnergy(5, 3, 3, 2, sigma="learn")
    pairs = rng.standard_normal((n_samples, 5))
    models["gated_gaussian_rbm"] = gated, random_parameters(gated, rng), pairs

    semi = SemiRestrictedGaussianRBMEnergy(3, 2)
    theta = random_parameters(semi, rng)
    semi.layout.views(theta)["precision"][...] = [1.5, 0.4, 1.2, -0.3, 0.2, 1.0]
    models["semi_restricted_gaussian_rbm"] = semi, theta, X

    rbm = BernoulliRBMEnergy(4, 3)
    binary = (rng.random((n_samples, 4)) < 0.5).astype(np.float64)
    models["bernoulli_rbm"] = rbm, random_parameters(rbm, rng), binary
    machine = BoltzmannMachineEnergy(4)
    models["boltzmann_machine"] = machine, random_parameters(machine, rng), binary
    layered = DeepBoltzmannMachineEnergy(BernoulliRBMEnergy(4, 3), (2,))
    models["deep_boltzmann_machine"] = layered, random_parameters(layered, rng), binary
    hidden = HiddenBoltzmannMachineEnergy(4, 2)
    models["hidden_boltzmann_machine"] = hidden, random_parameters(hidden, rng), binary
    gated = GatedRBMEnergy(5, 3, 3, 2)
    bits = (rng.random((n_samples, 5)) < 0.5).astype(np.float64)
    models["gated_rbm"] = gated, random_parameters(gated, rng), bits
    semi = SemiRestrictedRBMEnergy(4, 3)
    models["semi_restricted_rbm"] = semi, random_parameters(semi, rng), binary
    field = PottsEnergy(grid_graph((2, 2)))
    models["potts"] = field, random_parameters(field, rng), binary
    return models
