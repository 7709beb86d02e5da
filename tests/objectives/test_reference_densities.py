"""Noise of every kind that noise-contrastive estimation takes, against known densities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from sklvm import BernoulliRBM, ConstrainedGaussian, ZCAWhitener
from sklvm.densities import ChowLiuDensity, GaussianDensity, GaussianMixtureDensity
from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy
from sklvm.objectives import NoiseContrastiveEstimation
from sklvm.optimizers import LBFGS, SGD
from sklvm.partition import fit_reference
from sklvm.settings import resolve
from sklvm.testing import ExactDistribution, FlatObjective
from sklvm.training import Training

COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.8]])
WIDE_NOISE = GaussianDensity(np.zeros(2), 4.0 * np.eye(2))


def gaussian_data(n, rng):
    return 0.5 + rng.standard_normal((n, 2)) @ np.linalg.cholesky(COVARIANCE).T


REFERENCES = {
    "gaussian": "gaussian",
    "independent_gaussian": "independent_gaussian",
    "density": WIDE_NOISE,
    "constrained": ConstrainedGaussian(structure="diagonal"),
    "whitener": ZCAWhitener(),
    "mixture": GaussianMixture(2),
    "tied mixture": GaussianMixture(2, covariance_type="tied"),
}


def four_bumps():
    """A mixture of four Gaussians, as a deep energy of known log Z."""
    energy = DeepEnergy(2, 2, (), sigma=1.0)
    theta = energy.layout.pack(visible_bias=[-1.5, -1.5], coefs_0=3 * np.eye(2), intercepts_0=0.0)
    return energy, theta, ExactDistribution(energy, theta, np.eye(2))


def two_patterns():
    """Six bits near one pattern or its complement, as a binary machine of one hidden unit."""
    energy = BernoulliRBMEnergy(6, 1)
    pattern = np.array([3.0, -3.0, 3.0, -3.0, 3.0, -3.0])
    theta = energy.layout.pack(
        weights=pattern[np.newaxis], visible_bias=-pattern / 2, hidden_bias=0.0
    )
    return energy, theta, ExactDistribution(energy, theta, np.eye(6))


def fit_with_frozen_noise(energy, reference, true, X, rng):
    """θ and log Z, started at the truth."""
    weights = np.full(len(X), 1 / len(X))
    objective = NoiseContrastiveEstimation(5, reference, frozen_noise=True).validate()
    extra, state = FlatObjective(objective).init(energy, true, X, weights, rng)
    theta, _, _ = LBFGS(gradient_tol=1e-6, value_tol=1e-10).minimize(
        lambda theta: FlatObjective(objective).step(energy, theta, X, weights, state, None)[:2],
        np.concatenate([true, extra]),
        300,
        lambda theta, value: None,
    )
    return theta[:-1], np.sqrt(X.shape[1]) * theta[-1]


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES.keys())
def test_every_reference_finds_the_density_and_log_z_of_a_deep_energy(reference):
    rng = np.random.default_rng(0)
    energy, true, distribution = four_bumps()
    X = distribution.sample(2000, rng)
    theta, log_partition = fit_with_frozen_noise(energy, reference, true, X, rng)
    fitted = ExactDistribution(energy, theta, X).log_partition
    assert abs(log_partition - fitted) < 0.1
    difference = (
        energy.evaluate(theta, distribution.points)[0]
        - energy.evaluate(true, distribution.points)[0]
    )
    assert distribution.probabilities @ difference + fitted - distribution.log_partition < 0.02


def noise_of(reference, X, weights=None, seed=0, energy=None):
    """The density that noise is drawn from."""
    energy, rng = energy or GaussianEnergy(X.shape[1]), np.random.default_rng(seed)
    weights = np.full(len(X), 1 / len(X)) if weights is None else weights
    objective = NoiseContrastiveEstimation(reference=reference)
    start = energy.init_parameters(X, rng)
    return FlatObjective(objective).init(energy, start, X, weights, rng)[1].density


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_scikit_learns_mixture_becomes_the_same_density(covariance_type, rng):
    X = gaussian_data(500, rng)
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    noise = noise_of(mixture, X)
    assert isinstance(noise, GaussianMixtureDensity)
    assert_allclose(noise.log_density(X), mixture.fit(X).score_samples(X), rtol=1e-6)
    draws, theirs = noise.sample(50_000, rng), mixture.sample(50_000)[0]
    assert_allclose(draws.mean(axis=0), theirs.mean(axis=0), atol=0.03)
    assert_allclose(np.cov(draws.T), np.cov(theirs.T), atol=0.05)


def test_an_estimator_is_fitted_to_the_data_unless_it_is_frozen(rng):
    X = gaussian_data(300, rng)
    elsewhere = ConstrainedGaussian().fit(X + 10)
    assert_allclose(noise_of(ConstrainedGaussian(), X).estimator.location_, X.mean(axis=0))
    frozen = noise_of(FrozenEstimator(elsewhere), X)
    assert_allclose(frozen.estimator.location_, X.mean(axis=0) + 10)
    # So it does in training, where settings are cloned.
    criterion = resolve(
        NoiseContrastiveEstimation(1, FrozenEstimator(elsewhere)), {}, "objective", "Model"
    )
    training = Training(GaussianEnergy(2), criterion, SGD(), X, np.ones(len(X)), rng)
    used = training.objective_state.density.estimator
    assert_allclose(used.location_, X.mean(axis=0) + 10)


@pytest.mark.parametrize(
    "reference", ["auto", "independent_gaussian", ConstrainedGaussian(), GaussianMixture(1)]
)
def test_the_weights_of_the_rows_shape_every_reference(reference, rng):
    X = gaussian_data(600, rng)
    X[:300] += 100
    noise = noise_of(reference, X, np.where(np.arange(600) < 300, 0, 1 / 300))
    draws = noise.sample(4000, rng)
    assert_allclose(draws.mean(axis=0), X[300:].mean(axis=0), atol=0.3)


def test_the_weights_of_the_rows_shape_the_start_of_log_partition(rng):
    X = gaussian_data(600, rng)
    far = np.arange(600) < 300
    weights = np.where(far, 0, 1 / 300)
    energy, objective = GaussianEnergy(2), NoiseContrastiveEstimation(reference=WIDE_NOISE)
    theta = energy.init_parameters(X, rng)
    starts = [
        FlatObjective(objective).init(energy, theta, Y, weights, np.random.default_rng(0))[0]
        for Y in (X, X + 50 * far[:, np.newaxis])
    ]
    assert_array_equal(*starts)


def test_draws_come_from_the_generator_of_the_objective(rng):
    X = gaussian_data(100, rng)
    for reference in (KernelDensity(bandwidth=0.4), ZCAWhitener(), GaussianMixture(2)):
        noise = noise_of(reference, X)
        first, again, other = (noise.sample(5, np.random.default_rng(s)) for s in (1, 1, 2))
        assert_array_equal(first, again)
        assert first.shape == other.shape == (5, 2)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("reference", ["independent_bernoulli", "chow_liu"])
def test_every_binary_reference_finds_the_density_and_log_z_of_a_boltzmann_machine(reference):
    energy, true, distribution = two_patterns()
    rng = np.random.default_rng(0)
    X = distribution.sample(2000, rng)
    theta, log_partition = fit_with_frozen_noise(energy, reference, true, X, rng)
    fitted = ExactDistribution(energy, theta, X)
    assert abs(log_partition - fitted.log_partition) < 0.1
    assert (
        distribution.mean(lambda X: np.log(distribution.probabilities / fitted.probabilities))
        < 0.02
    )


def test_a_tree_is_harder_to_tell_from_correlated_bits_than_independent_ones(rng):
    energy, true, distribution = two_patterns()
    X, weights = distribution.sample(2000, rng), np.full(2000, 1 / 2000)
    theta = np.append(true, distribution.log_partition / np.sqrt(6))
    losses = []
    for reference in ("independent_bernoulli", "chow_liu"):
        objective = NoiseContrastiveEstimation(1, reference)
        _, noise = FlatObjective(objective).init(energy, true, X, weights, rng)
        losses.append(FlatObjective(objective).step(energy, theta, X, weights, noise, rng)[0])
    chance = 2 * np.log(2)
    assert chance - losses[1] < 0.5 * (chance - losses[0])


def test_noise_of_the_other_kind_of_data_is_refused_by_name(rng):
    X = (rng.random((50, 3)) < 0.5).astype(np.float64)
    assert isinstance(noise_of("gaussian", X), GaussianDensity)
    with pytest.raises(ValueError, match=r"'chow_liu' is noise for binary.*'independent_gaussian'"):
        noise_of("chow_liu", X)
    model = BernoulliRBM(2, objective=NoiseContrastiveEstimation(reference="gaussian"), max_iter=20)
    with pytest.raises(ValueError, match=r"'gaussian' is noise for real data.*'chow_liu'"):
        model.fit(X)
    assert isinstance(noise_of("chow_liu", X, energy=BernoulliRBMEnergy(3, 2)), ChowLiuDensity)
    model.set_params(objective__reference="chow_liu", max_iter=1).fit(X)


def test_white_data_have_noise_that_needs_no_rotation(rng):
    X = rng.standard_normal((1000, 5))
    white = ZCAWhitener().fit_transform(X @ rng.standard_normal((5, 5)))
    assert_array_equal(noise_of("auto", white).directions, np.eye(5))
    correlated = white @ np.linalg.cholesky(np.eye(5) + 0.1).T
    assert np.any(noise_of("auto", correlated).directions != np.eye(5))


def test_an_estimator_whose_draws_cannot_be_reproduced_is_named(rng):
    class Unseeded(ConstrainedGaussian):
        def sample(self, n_samples=1):
            return np.zeros((n_samples, 2))

    with pytest.raises(TypeError, match="sample method of Unseeded takes no random_state"):
        noise_of(Unseeded(), gaussian_data(50, rng))


def test_the_tempered_reference_of_weighted_rows_is_that_of_repeated_rows(rng):
    X = (rng.random((200, 4)) < [0.1, 0.5, 0.9, 0.3]).astype(np.float64)
    energy = BernoulliRBMEnergy(4, 2)
    half = np.where(np.arange(200) < 100, 3.0, 0.0)
    views = energy.layout.views(fit_reference(energy, X, half))
    mean = X[:100].mean(axis=0)
    on = 1 / (1 + np.exp(-views["visible_bias"]))
    assert_allclose(on, (300 * mean + 0.5) / 301)
    repeated = fit_reference(energy, np.repeat(X[:100], 3, axis=0))
    assert_allclose(fit_reference(energy, X, half), repeated, rtol=1e-9)
    assert_array_equal(fit_reference(energy, X, np.ones(200)), fit_reference(energy, X))
