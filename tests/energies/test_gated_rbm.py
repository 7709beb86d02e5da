"""The energies of gated restricted Boltzmann machines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from sklvm.energies import (
    BernoulliRBMEnergy,
    ConditionalPartition,
    GatedGaussianRBMEnergy,
    GatedRBMEnergy,
    GaussianRBMEnergy,
    MeanCovarianceRBMEnergy,
)
from sklvm.testing import (
    EnergyTestCase,
    binary_states,
    given_inputs,
    numerical_gradient,
    random_parameters,
)

X_GIVEN = np.array([1.0, 0.0, 1.0])


class TestGatedRBMEnergyGivenItsInputs(EnergyTestCase):
    @pytest.fixture(autouse=True, params=[4, None], ids=["factored", "full"])
    def _factors(self, request):
        self.n_factors = request.param

    def make(self):
        rng = np.random.default_rng(4)
        energy = GatedRBMEnergy(7, 3, self.n_factors, 3)
        theta, Y = random_parameters(energy, rng, scale=0.9), binary_states(4)[:12]
        return given_inputs(energy, X_GIVEN), theta, Y


class TestGatedGaussianRBMEnergyGivenItsInputs(EnergyTestCase):
    @pytest.fixture(autouse=True, params=[4, None], ids=["factored", "full"])
    def _factors(self, request):
        self.n_factors = request.param

    def make(self, n_outputs=4):
        rng = np.random.default_rng(4)
        energy = GatedGaussianRBMEnergy(3 + n_outputs, 3, self.n_factors, 3, sigma="learn")
        theta, Y = random_parameters(energy, rng), rng.standard_normal((12, n_outputs))
        return given_inputs(energy, np.array([0.5, -1.0, 0.3])), theta, Y

    def make_small(self):
        return self.make(2)


ENERGIES = {
    "bits": lambda factors: GatedRBMEnergy(6, 3, factors, 3),
    "real": lambda factors: GatedGaussianRBMEnergy(6, 3, factors, 3, sigma="learn"),
}


@pytest.mark.parametrize("factors", [2, None])
@pytest.mark.parametrize("kind", sorted(ENERGIES))
def test_the_conditional_log_partition_and_its_gradient(kind, factors, rng):
    energy = ENERGIES[kind](factors)
    assert isinstance(energy, ConditionalPartition)
    theta = random_parameters(energy, rng)
    X, w = (rng.random((5, 6)) < 0.5).astype(float), rng.random(5)
    log_z, pullback = energy.conditional_log_partition(theta, X)
    free = np.arange(6) >= 3
    assert_allclose(log_z, energy.log_clamped_partition(theta, X, free), rtol=1e-12)
    if kind == "bits":
        rows = [np.hstack([np.tile(x[:3], (8, 1)), binary_states(3)]) for x in X]
        assert_allclose(log_z, [logsumexp(-energy.evaluate(theta, r)[0]) for r in rows])
    expected = numerical_gradient(lambda t: w @ energy.conditional_log_partition(t, X)[0], theta)
    assert_allclose(pullback(w), expected, atol=1e-6 * np.abs(expected).max())


# -- special cases --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(ENERGIES))
def test_with_a_constant_input_it_is_a_restricted_boltzmann_machine(kind, rng):
    energy = ENERGIES[kind](4)
    theta = random_parameters(energy, rng)
    views = energy.layout.views(theta)
    if kind == "real":
        views["log_scale"][...] = energy.scale.start(0.49)
    X = np.hstack([np.tile([1.0, 0.0, 1.0], (8, 1)), binary_states(3)])
    alpha = views["input_factors"] @ (X[0, :3] - views["input_offset"])
    W = (views["hidden_factors"] * alpha) @ views["output_factors"]
    bias = views["hidden_bias"] - W @ views["output_offset"]
    if kind == "bits":
        rbm = BernoulliRBMEnergy(3, 3)
        of_rbm = {"weights": W, "visible_bias": views["output_bias"]}
    else:
        rbm = GaussianRBMEnergy(3, 3, 0.7)
        of_rbm = {"weights": W, "visible_bias": views["output_bias"]}
        bias = views["hidden_bias"] - W @ views["output_offset"] / 0.49
    theta_rbm = rbm.layout.pack(hidden_bias=bias, **of_rbm)
    log_density = -energy.evaluate(theta, X)[0] - energy.conditional_log_partition(theta, X)[0]
    expected = -rbm.evaluate(theta_rbm, X[:, 3:])[0] - rbm.log_partition(theta_rbm)
    assert_allclose(log_density, expected, rtol=1e-9)


def test_tied_to_itself_it_is_the_mean_covariance_machine(rng):
    # y = x, A = B, P = −2G: the products of a row with itself are squares.
    gated = GatedGaussianRBMEnergy(8, 3, 5, 4, sigma=1.0)
    G = -rng.random((3, 5))
    A, c, a = rng.standard_normal((5, 4)), rng.standard_normal(3), rng.standard_normal(4)
    theta = gated.layout.pack(
        input_factors=A,
        output_factors=A,
        hidden_factors=G,
        input_bias=0.5 * a,
        output_bias=0.5 * a,
        hidden_bias=c,
        input_offset=0.0,
        output_offset=0.0,
    )
    X = rng.standard_normal((9, 4))
    # Its Gaussian comes twice.
    machine = MeanCovarianceRBMEnergy(4, 0, 3, -2 * G, sigma=np.sqrt(0.5))
    theta_machine = machine.layout.pack(
        visible_bias=a,
        coefs_0=np.zeros((0, 4)),
        intercepts_0=np.zeros(0),
        factors=A,
        pooling=-2 * G,
        covariance_bias=c,
    )
    assert_allclose(
        gated.evaluate(theta, np.hstack([X, X]))[0], machine.evaluate(theta_machine, X)[0]
    )
    assert_allclose(gated.posterior(theta, np.hstack([X, X])), machine.posterior(theta_machine, X))


def fourier_shifts(n):
    """Real factors, two for each pair of frequencies, by which hidden unit k is a shift by k.

    y_i = x_{i−k} is y = Σ_f G_kf B_f (A_f x): a product of Fourier coefficients turns by the angle
    of the shift.
    """
    places, rows = np.arange(n), []
    for m in range(n // 2 + 1):
        weight = (1 if m in (0, n / 2) else 2) / n
        angle = 2 * np.pi * m / n
        c, s, turn = np.cos(angle * places), np.sin(angle * places), angle * places
        # Re(x̂ conj ŷ e^(iωk)) in real products.
        rows += [(c, c, weight * np.cos(turn)), (s, s, weight * np.cos(turn))]
        rows += [(s, c, -weight * np.sin(turn)), (c, s, weight * np.sin(turn))]
    A, B, G = (np.array([row[i] for row in rows]) for i in range(3))
    return A, B, G.T


def test_cyclic_shifts_are_fourier_factors(rng):
    n = 8
    A, B, G = fourier_shifts(n)
    energy = GatedRBMEnergy(2 * n, n, len(A), n)
    assert len(A) == 20
    theta = energy.layout.pack(
        input_factors=A,
        output_factors=B,
        hidden_factors=G,
        input_bias=0.0,
        output_bias=0.0,
        hidden_bias=0.0,
        input_offset=0.0,
        output_offset=0.0,
    )
    x = rng.standard_normal((1, n))
    views = energy.layout.views(theta)
    W = energy.interaction.weights(views, x)[0]
    for shift in range(n):
        assert_allclose(W[shift], np.roll(x[0], shift), atol=1e-12)
        assert_allclose(
            energy.interaction.input_drive(views, np.roll(x, shift, axis=1), np.eye(n)[[shift]]),
            x,
            atol=1e-12,
        )
