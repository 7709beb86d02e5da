"""Every objective on every energy: it trains to the right density, or says what is missing.

A new objective of the registry is in the matrix by itself. A new energy gives a density here, of at
most 2 real or 12 binary features.
"""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import sklvm.energies
from sklvm.energies import (
    BernoulliRBMEnergy,
    BinaryFactorEnergy,
    BoltzmannMachineEnergy,
    DecoderEnergy,
    DeepBoltzmannMachineEnergy,
    DeepEnergy,
    EnumeratedMarginal,
    GatedGaussianRBMEnergy,
    GatedRBMEnergy,
    GaussianEnergy,
    GaussianLikelihood,
    GaussianMixtureEnergy,
    GaussianRBMEnergy,
    HiddenBoltzmannMachineEnergy,
    Marginal,
    MeanCovarianceRBMEnergy,
    NormalizedMeanCovarianceRBMEnergy,
    PottsEnergy,
    SemiRestrictedGaussianRBMEnergy,
    SemiRestrictedRBMEnergy,
)
from sklvm.graphs import grid_graph
from sklvm.objectives import (
    OBJECTIVES,
    RECONSTRUCTION_OBJECTIVES,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
    VariationalNoiseContrastiveEstimation,
    check_capabilities,
    suitable_objectives,
)
from sklvm.optimizers import Adam
from sklvm.testing import ExactDistribution, binary_states, given_inputs, small_models
from sklvm.training import Training

# Where the default is not for 2000 rows of two features.
SETTINGS = {
    "denoising_score_matching": DenoisingScoreMatching(noise_level=0.2),
    "nce": NoiseContrastiveEstimation(noise_ratio=3),
    # An encoder that can be the posterior.
    ("vnce", "DecoderEnergy"): VariationalNoiseContrastiveEstimation(hidden_layer_sizes=()),
    ("vnce", "DeepBoltzmannMachineEnergy"): VariationalNoiseContrastiveEstimation(
        hidden_layer_sizes=()
    ),
}

# The divergence from the truth that training has to get below, in nats. That of the data is no more
# than 0.01: half the number of parameters for each row.
TOLERANCE = 0.04

# What is added for an objective that does not aim at the density of the data, in nats.
KNOWN_BIAS = {
    "cd": 0.02,  # few sweeps from the data
    "denoising_score_matching": 0.01,  # that of the noisy data
}

# Of an encoder that can be the posterior.
ENCODER_LAYERS = {
    "BernoulliRBMEnergy": (),
    "DeepBoltzmannMachineEnergy": (),
    "DeepEnergy": (64,),
    "GaussianMixtureEnergy": (64,),
    "GaussianRBMEnergy": (),
    "MeanCovarianceRBMEnergy": (64,),
    "NormalizedMeanCovarianceRBMEnergy": (64,),
    "SemiRestrictedGaussianRBMEnergy": (),
    "SemiRestrictedRBMEnergy": (),
    "HiddenBoltzmannMachineEnergy": (16,),
}


def three_bumps():
    energy = DeepEnergy(2, 3, (4,), activation="tanh", sigma=1.0)
    return energy, energy.layout.pack(
        visible_bias=[0.5, 0.0],
        coefs_0=[[2.0, 0.0], [0.0, 2.0], [1.5, 1.5], [1.0, -1.0]],
        intercepts_0=[0.0, 0.0, 1.0, 0.0],
        coefs_1=[[3.0, 0.0, 0.0, -1.0], [0.0, -3.0, 2.0, 0.0], [0.0, 1.0, -3.0, 2.0]],
        intercepts_1=[-0.5, 0.5, 0.0],
    )


def correlated_gaussian():
    energy = GaussianEnergy(2)
    return energy, energy.pack([0.5, -0.3], [[1.5, 0.6], [0.6, 1.0]])


def coupled_bits():
    energy = BernoulliRBMEnergy(4, 3)
    return energy, energy.layout.pack(
        weights=[[2.0, -2.0, 1.0, 0.0], [0.0, 2.0, -1.0, 2.0], [-1.0, 0.0, 2.0, -2.0]],
        visible_bias=[-0.5, 0.0, -0.5, 0.5],
        hidden_bias=[0.0, -0.5, 0.5],
    )


def bits_in_three_layers():
    energy = DeepBoltzmannMachineEnergy(BernoulliRBMEnergy(4, 3), (2,))
    return energy, energy.layout.pack(
        weights=[[2.0, -2.0, 1.0, 0.0], [0.0, 2.0, -1.0, 2.0], [-1.0, 0.0, 2.0, -2.0]],
        visible_bias=[-0.5, 0.0, -0.5, 0.5],
        hidden_bias=[0.0, -0.5, 0.5],
        weights_2=[[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
        bias_2=[0.0, 0.5],
    )


def overlapping_gaussians():
    energy = GaussianRBMEnergy(2, 3, sigma=0.8)
    return energy, energy.layout.pack(
        weights=[[2.0, 0.0], [0.0, 2.0], [-1.0, -1.5]],
        visible_bias=[-0.5, 0.0],
        hidden_bias=[-1.5, -3.5, -3.0],
    )


def two_widths():
    energy = GaussianMixtureEnergy(2, 2)
    return energy, energy.layout.pack(
        means=[[1.5, 0.0], [-1.5, 0.8]], log_scale=np.log([0.6, 1.0]), log_heights=[-1.0]
    )


def two_shapes(kind=MeanCovarianceRBMEnergy):
    energy = kind(2, 1, 2)
    return energy, energy.layout.pack(
        visible_bias=[0.3, 0.0],
        coefs_0=[[1.5, -1.0]],
        intercepts_0=[-1.0],
        factors=[[1.5, 0.5], [-1.0, 1.5]],
        covariance_bias=[2.0, 1.5],
    )


# Chains that go on have to keep up with θ.
RATES = {"pcd": 0.05}


def one_factor():
    energy = DecoderEnergy(GaussianLikelihood(2), 1)
    return energy, energy.layout.pack(
        log_scale=np.log(0.5), coefs_0=[[1.0], [-1.5]], intercepts_0=[0.5, 0.0]
    )


def two_causes():
    energy = BinaryFactorEnergy(2, 2)
    variance = 0.25
    W, a = np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([-1.0, -1.0])
    return energy, energy.layout.pack(
        weights=W,
        visible_bias=a,
        hidden_bias=-(W @ a + 0.5 * (W * W).sum(axis=1)) / variance,
        log_scale=0.5 * np.log(variance),
    )


def ring_of_sites():
    energy = PottsEnergy(grid_graph((2, 2)))
    return energy, energy.layout.pack(
        coupling=[1.0, -0.5, 0.8, 0.4], biases=[[0.5], [-0.5], [0.0], [0.3]]
    )


def coupled_units():
    energy = BoltzmannMachineEnergy(4)
    return energy, energy.layout.pack(
        coupling=[1.5, -1.0, 0.0, 0.8, -0.6, 1.2], visible_bias=[0.2, -0.8, 0.3, -0.5]
    )


def units_with_a_hidden_cause():
    energy = HiddenBoltzmannMachineEnergy(4, 2)
    return energy, energy.layout.pack(
        coupling=[1.5, 0.0, 0.0, -1.0, 0.0, 1.0],
        visible_bias=[-1.5, -0.8, 0.0, -0.8],
        weights=[[2.5, 0.0, -2.0, 1.5], [0.0, 2.0, 2.0, -2.0]],
        hidden_coupling=[-1.0],
        hidden_bias=[-0.5, -0.5],
    )


def gates(kind, *, offset, **more):
    """Two inputs say how three or two outputs depend on the hidden units."""
    n_outputs = 3 if kind is GatedRBMEnergy else 2
    energy = kind(2 + n_outputs, 2, 2, 2, **more)
    return energy, energy.layout.pack(
        input_factors=[[1.5, -1.0], [0.5, 1.5]],
        output_factors=np.array([[1.0, -1.5, 1.0], [1.5, 1.0, -1.0]])[:, :n_outputs],
        hidden_factors=[[2.0, 0.5], [-0.5, 1.5]],
        input_bias=0.0,
        output_bias=[0.3, -0.5, 0.0][:n_outputs],
        hidden_bias=[-0.5, 0.5],
        input_offset=offset,
        output_offset=offset,
    )


def correlated_bumps():
    energy = SemiRestrictedGaussianRBMEnergy(2, 2)
    return energy, energy.layout.pack(
        weights=[[2.0, 0.0], [-1.0, 2.0]],
        visible_bias=[-0.5, 0.0],
        hidden_bias=[-1.0, -1.0],
        precision=[1.2, 0.6, 1.0],
    )


def coupled_bits_of_a_hidden_layer():
    energy = SemiRestrictedRBMEnergy(4, 2)
    return energy, energy.layout.pack(
        weights=[[2.0, -2.0, 1.0, 0.0], [0.0, 2.0, -1.0, 2.0]],
        visible_bias=[-1.0, 0.0, -0.5, -0.5],
        hidden_bias=[0.0, -0.5],
        coupling=[-3.0, 1.0, 2.0, 2.0, -2.0, 1.0],
    )


# Of conditional energies: the inputs at which their outputs are drawn and compared.
INPUTS = {
    "GatedGaussianRBMEnergy": [[-1.0, 0.5], [0.5, 1.0], [0.0, -1.5]],
    "GatedRBMEnergy": binary_states(2),
}

CASES = {
    "BernoulliRBMEnergy": coupled_bits,
    "BinaryFactorEnergy": two_causes,
    "BoltzmannMachineEnergy": coupled_units,
    "DecoderEnergy": one_factor,
    "DeepBoltzmannMachineEnergy": bits_in_three_layers,
    "DeepEnergy": three_bumps,
    "GatedGaussianRBMEnergy": lambda: gates(GatedGaussianRBMEnergy, offset=0.0),
    "GatedRBMEnergy": lambda: gates(GatedRBMEnergy, offset=0.5),
    "GaussianEnergy": correlated_gaussian,
    "GaussianMixtureEnergy": two_widths,
    "GaussianRBMEnergy": overlapping_gaussians,
    "MeanCovarianceRBMEnergy": two_shapes,
    "NormalizedMeanCovarianceRBMEnergy": lambda: two_shapes(NormalizedMeanCovarianceRBMEnergy),
    "HiddenBoltzmannMachineEnergy": units_with_a_hidden_cause,
    "PottsEnergy": ring_of_sites,
    "SemiRestrictedGaussianRBMEnergy": correlated_bumps,
    "SemiRestrictedRBMEnergy": coupled_bits_of_a_hidden_layer,
}
CELLS = [(name, model) for model in CASES for name in sorted(OBJECTIVES)]
FITTING = [(n, m) for n, m in CELLS if n in suitable_objectives(CASES[m]()[0], OBJECTIVES)]


def test_every_energy_of_the_package_has_a_case():
    public = {
        name for name in sklvm.energies.__all__ if is_an_energy(getattr(sklvm.energies, name))
    }
    assert {type(energy).__name__ for energy, _, _ in small_models().values()} == public
    assert set(CASES) == public


def is_an_energy(value):
    """Whether it can be made, and trained: not a protocol, a mix-in or a likelihood."""
    is_class = isinstance(value, type) and not getattr(value, "_is_protocol", False)
    return is_class and hasattr(value, "init_parameters")


@pytest.mark.parametrize(("name", "model"), FITTING)
def test_an_objective_that_fits_trains_to_the_right_density(name, model, random_seed):
    objective = SETTINGS.get((name, model), SETTINGS.get(name, OBJECTIVES[name]()))
    start, end = train(objective, model, random_seed, RATES.get(name, 0.1))
    assert start > 0.08
    assert end < TOLERANCE + KNOWN_BIAS.get(name, 0.0)


@pytest.mark.parametrize("model", sorted(ENCODER_LAYERS))
@pytest.mark.parametrize("n_importance_samples", [5, "all"])
def test_variational_noise_contrast_does_so_too_where_it_learns_the_posterior(
    model, n_importance_samples, random_seed
):
    objective = VariationalNoiseContrastiveEstimation(
        3,
        posterior="encoder",
        hidden_layer_sizes=ENCODER_LAYERS[model],
        n_importance_samples=n_importance_samples,
    )
    _, end = train(objective, model, random_seed)
    assert end < TOLERANCE + 0.02  # of few steps: the encoder has to be learned as well


def test_an_encoder_is_tried_on_every_energy_with_latent_variables():
    fitting = {model for name, model in FITTING if name == "vnce"}
    assert set(ENCODER_LAYERS) == fitting - {"BinaryFactorEnergy", "DecoderEnergy"}


def train(objective, model, random_seed, learning_rate=0.1):
    """The divergences from the truth before and after."""
    energy, true = CASES[model]()
    rng = np.random.default_rng(random_seed)
    if model in INPUTS:
        tables = {tuple(x): given_inputs(energy, np.array(x)) for x in INPUTS[model]}
    else:
        tables = {(): with_marginal(energy)}
    pairs = [
        (table, ExactDistribution(table, true, rng.standard_normal((10, table.n_features))))
        for table in tables.values()
    ]
    n = 2000 // len(pairs)
    X = np.vstack(
        [
            np.hstack([np.tile(x, (n, 1)), distribution.sample(n, rng)])
            for x, (_, distribution) in zip(tables, pairs, strict=True)
        ]
    )
    weights = np.ones(len(X))

    def divergence_of(theta):
        return np.mean([divergence(exact, table, true, theta) for table, exact in pairs])

    optimizer = Adam(learning_rate, schedule="linear")
    training = Training(energy, objective, optimizer, X, weights, rng)
    start = divergence_of(training.energy_theta)
    training.plan(500)
    for _ in range(500):
        rows = rng.choice(len(X), 200)
        training.step(X[rows], weights[rows])
    return start, divergence_of(training.energy_theta)


def with_marginal(energy):
    """The energy with a marginal one, which is known here where z cannot be summed out."""
    if isinstance(energy, EnumeratedMarginal):
        return SimpleNamespace(n_features=energy.n_features, evaluate=energy.evaluate_by_states)
    return energy if isinstance(energy, Marginal) else KnownMarginal(energy)


class KnownMarginal:
    """Minus the log-density of a linear decoder, or of few binary factors."""

    def __init__(self, energy):
        self._energy, self.n_features = energy, energy.n_features

    def evaluate(self, theta, X):
        if isinstance(self._energy, BinaryFactorEnergy):
            return -self._energy.log_density(theta, X), None
        views = self._energy.layout.views(theta)
        variance = self._energy.likelihood.scale.variance(views)
        covariance = views["coefs_0"] @ views["coefs_0"].T + variance * np.eye(2)
        return -multivariate_normal(views["intercepts_0"], covariance).logpdf(X), None

    def score(self, theta, X):
        raise NotImplementedError

    energy_and_score = curvature = score


def divergence(distribution, energy, true, theta):
    """KL of the density at θ from the true one, in nats, by sums over all of space."""
    difference = (
        energy.evaluate(theta, distribution.points)[0]
        - energy.evaluate(true, distribution.points)[0]
    )
    log_z = ExactDistribution(energy, theta, distribution.points).log_partition
    return distribution.mean(lambda points: difference) + log_z - distribution.log_partition


@pytest.mark.parametrize(("name", "model"), sorted(set(CELLS) - set(FITTING)))
def test_an_objective_that_does_not_fit_names_what_is_missing_and_those_that_do(name, model):
    energy, _ = CASES[model]()
    cell = documented()[name][model]
    reason = "conditional model" if cell == "joint densities only" else f"{model} lacks"
    with pytest.raises(ValueError, match=rf"does not fit.*{reason}") as error:
        check_capabilities(OBJECTIVES[name](), energy, OBJECTIVES, "SomeModel")
    message = str(error.value)
    assert cell == "joint densities only" or f"with the {cell} capability" in message
    assert message.endswith(f"Objectives that fit are {suitable_objectives(energy, OBJECTIVES)}.")


def test_the_documented_matrix_is_the_tested_one():
    ticked = {(n, m) for n, row in documented().items() for m, cell in row.items() if cell == "✓"}
    assert {(n, m) for n, m in ticked if n in OBJECTIVES} == set(FITTING)
    assert {n for n, _ in ticked - set(FITTING)} == set(RECONSTRUCTION_OBJECTIVES)


def documented():
    """The table of the user guide."""
    path = Path(__file__).parents[2] / "docs" / "objective_matrix.py"
    spec = importlib.util.spec_from_file_location("objective_matrix", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.objective_matrix()
