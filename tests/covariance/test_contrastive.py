"""The constrained Gaussian by noise-contrastive and conditional noise-contrastive estimation."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklvm.covariance import ConstrainedGaussian
from sklvm.covariance._solvers import CliqueEnergy, CliqueSum
from sklvm.datasets import load_photographs, sample_patches
from sklvm.densities import GaussianDensity
from sklvm.energies import GaussianEnergy
from sklvm.exceptions import DivergenceError
from sklvm.graphs import SymmetricPattern, lattice_mask
from sklvm.objectives import ConditionalNoiseContrastiveEstimation, NoiseContrastiveEstimation
from sklvm.testing import EnergyTestCase

OBJECTIVES = ["nce", "cnce"]
objectives = pytest.mark.parametrize("objective", OBJECTIVES)


def lattice(side=8, **settings):
    return ConstrainedGaussian(
        "lattice", image_shape=(side, side), radius=1, random_state=0, **settings
    )


@pytest.fixture(scope="module")
def truth():
    """The Gaussian of small patches: the condition number of its covariance is about 5000."""
    patches = sample_patches(load_photographs(), (8, 8), 10_000, random_state=0)
    return lattice(objective="mle").fit(patches.astype(np.float64))


@pytest.fixture(scope="module")
def X(truth):
    return truth.sample(20_000, random_state=1)


def divergence(truth, model):
    """KL of the model from the truth, in nats."""
    ratio = model.precision_ @ truth.covariance_
    shift = model.location_ - truth.location_
    quadratic = np.trace(ratio) + shift @ model.precision_ @ shift
    return 0.5 * (quadratic - len(shift) - np.linalg.slogdet(ratio)[1])


@objectives
def test_rows_of_a_lattice_gaussian_give_it_back(objective, truth, X):
    diagonal = divergence(truth, ConstrainedGaussian("diagonal").fit(X))
    model = lattice(objective=objective, max_iter=4).fit(X)
    assert divergence(truth, model) < 0.002 * diagonal
    # The start of the training is far from it.
    start = CliqueSum(SymmetricPattern(lattice_mask((8, 8), 1))).mean_precision(np.cov(X.T))
    start = SymmetricPattern(lattice_mask((8, 8), 1)).dense(start)
    untrained = SimpleNamespace(precision_=start, location_=model.location_)
    assert divergence(truth, untrained) > 0.05 * diagonal


@pytest.mark.slow
@objectives
def test_more_epochs_bring_it_near_maximum_likelihood(objective, truth, X):
    likeliest = divergence(truth, lattice(objective="mle").fit(X))
    assert divergence(truth, lattice(objective=objective).fit(X)) < 5 * likeliest


def test_conditional_noise_of_one_size_in_all_directions_learns_less_or_nothing(truth, X):
    def error(shape, level):
        objective = ConditionalNoiseContrastiveEstimation(4, level, shape)
        return divergence(truth, lattice(objective=objective, max_iter=2).fit(X))

    # At a small level its signal is that of few directions, at a large one all is told apart.
    assert error("isotropic", 0.03) > 3 * error("covariance", 0.03)
    assert error("isotropic", 0.3) > 50 * error("covariance", 0.3)


def small_data(n=400, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + np.arange(d)


@objectives
@pytest.mark.parametrize("structure", ["full", "diagonal"])
def test_without_zeros_and_with_nothing_else_it_is_near_the_closed_form(objective, structure):
    X = small_data(4000)
    if structure == "diagonal":
        # Misspecified criteria have different optima: the features are made independent.
        X = np.random.default_rng(0).permuted(X, axis=0)
    model = ConstrainedGaussian(structure, objective=objective, random_state=0).fit(X)
    closed = ConstrainedGaussian(structure).fit(X)
    assert 0 < closed.score(X) - model.score(X) < 0.003
    assert_allclose(model.location_, closed.location_)


@objectives
def test_it_repeats_itself_by_its_seed(objective):
    X = small_data()
    model = ConstrainedGaussian(objective=objective, max_iter=2, random_state=0)
    precision = model.fit(X).precision_
    assert_array_equal(clone(model).fit(X).precision_, precision)
    assert_array_equal(clone(model).fit(np.asfortranarray(X)).precision_, precision)
    other = clone(model).set_params(random_state=1).fit(X).precision_
    assert np.any(other != precision)
    assert_allclose(other, precision, rtol=0, atol=0.5 * np.abs(precision).max())


@objectives
def test_units_of_the_features_do_not_matter(objective):
    X, scale = small_data(), 10.0 ** np.arange(-3, 3)
    model = ConstrainedGaussian(objective=objective, max_iter=5, random_state=0)
    precision = clone(model).fit(X).precision_
    scaled = clone(model).fit(X * scale).precision_
    tolerance = 1e-6 * np.abs(precision).max()
    assert_allclose(scaled * np.outer(scale, scale), precision, rtol=0, atol=tolerance)


@objectives
def test_rows_of_no_weight_do_not_count(objective):
    X = np.vstack([small_data(3000), 5.0 * small_data(3000, seed=1)])
    kept = np.arange(6000) < 3000
    model = ConstrainedGaussian(objective=objective, random_state=0, max_iter=5)
    alone = clone(model).fit(X[kept])
    assert_allclose(clone(model).fit(X, sample_weight=kept).precision_, alone.precision_)


@objectives
def test_weights_turn_rows_of_a_wide_gaussian_into_those_of_a_narrow_one(objective):
    X = 2.0 * np.random.default_rng(0).standard_normal((8000, 3))
    narrow, wide = (GaussianDensity(np.zeros(3), scale * np.eye(3)) for scale in (2.0, 4.0))
    weights = np.exp(narrow.log_density(X) - wide.log_density(X))
    model = ConstrainedGaussian(objective=objective, random_state=0)
    precision = model.fit(X, sample_weight=weights).precision_
    assert_allclose(precision, 0.5 * np.eye(3), atol=0.06)


def test_the_objective_is_given_as_an_object_or_by_nested_parameters():
    X = small_data()
    model = ConstrainedGaussian(objective="nce", random_state=0, max_iter=3)
    nested = clone(model).set_params(objective__noise_ratio=2).fit(X)
    given = clone(model).set_params(objective=NoiseContrastiveEstimation(2)).fit(X)
    assert_array_equal(nested.precision_, given.precision_)


def test_a_given_reference_is_in_the_units_of_the_data():
    X = 100 * small_data(4000) - 50
    wide = GaussianDensity(X.mean(axis=0), 1.5 * np.cov(X.T))
    objective = NoiseContrastiveEstimation(10, wide)
    model = ConstrainedGaussian(objective=objective, random_state=0, max_iter=20).fit(X)
    assert ConstrainedGaussian().fit(X).score(X) - model.score(X) < 0.02


@objectives
def test_dependent_features_are_given_variance_as_by_the_other_objectives(objective):
    X = small_data(1000)
    X = np.hstack([X, X[:, :2] - X[:, 2:4]])
    model = ConstrainedGaussian(objective=objective, random_state=0).fit(X)
    likeliest = ConstrainedGaussian().fit(X)
    assert_allclose(model.ridge_, likeliest.ridge_)
    assert (model.ridge_ > 0).all()
    assert np.isnan(model.residual_)
    assert model.score(X) > likeliest.score(X) - 0.5


def test_a_precision_that_is_not_positive_definite_is_an_error():
    X = np.random.default_rng(0).standard_normal((4, 16)).cumsum(axis=1)
    with pytest.raises(DivergenceError, match=r"not positive definite.*objective='mle'"):
        lattice(4, objective="cnce").fit(X)


class TestCliqueEnergy(EnergyTestCase):
    def make(self):
        return self._make(SymmetricPattern(lattice_mask((2, 3), 1)))

    def make_small(self):
        return self._make(SymmetricPattern(np.ones((2, 2), dtype=bool)))

    def _make(self, pattern):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((12, pattern.n_features))
        energy = CliqueEnergy(np.cov(X.T), pattern, CliqueSum(pattern))
        theta = energy.init_parameters(X, rng)
        return energy, theta + 0.1 * rng.standard_normal(len(theta)), X


def test_clique_coordinates_are_those_of_the_gaussian_energy(rng):
    energy, theta, X = TestCliqueEnergy().make()
    gaussian = GaussianEnergy(6)
    entries = gaussian.pack(np.zeros(6), energy.precision(theta))
    assert_allclose(energy.evaluate(theta, X)[0], gaussian.evaluate(entries, X)[0])
    assert_allclose(energy.score(theta, X)[0], gaussian.score(entries, X)[0])


def test_in_clique_coordinates_the_fisher_information_is_well_conditioned(truth, X):
    pattern = SymmetricPattern(lattice_mask((8, 8), 1))
    correlation = np.corrcoef(X.T)
    energy = CliqueEnergy(correlation, pattern, CliqueSum(pattern))

    def information(theta):
        """Cov[∂E/∂θ] under N(0, C), applied to θ: half the pullback of CΛC."""
        sandwich = correlation @ energy.precision(theta) @ correlation
        values, vectors = np.linalg.eigh(sandwich)
        return energy.evaluate(theta, vectors.T)[1](values)

    probes = np.random.default_rng(0).standard_normal((3, energy.layout.size))
    for theta in probes:
        for _ in range(60):
            theta = information(theta / np.linalg.norm(theta))
        # The trace over the number of free entries is the mean eigenvalue.
        assert np.linalg.norm(theta) < 50
