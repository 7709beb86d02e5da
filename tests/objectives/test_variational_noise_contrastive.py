"""Variational noise-contrastive estimation: a bound of the plain one, tight at the posterior."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, log_expit, logsumexp
from scipy.stats import multivariate_normal

from sklvm import BernoulliRBM, DeepEnergyModel, GaussianRBM
from sklvm.densities import GaussianDensity, IndependentBernoulliDensity
from sklvm.energies import (
    BernoulliLikelihood,
    DecoderEnergy,
    GaussianLikelihood,
    GaussianMixtureEnergy,
    GaussianRBMEnergy,
)
from sklvm.kernels import standard_normal
from sklvm.objectives import (
    OBJECTIVES,
    NoiseContrastiveEstimation,
    VariationalNoiseContrastiveEstimation,
    check_capabilities,
)
from sklvm.optimizers import LBFGS, Adam
from sklvm.posteriors import DiscreteEncoder, GaussianEncoder
from sklvm.testing import (
    FlatObjective,
    assert_is_gradient,
    binary_states,
    numerical_gradient,
    random_parameters,
    small_models,
)
from sklvm.training import Training

NU = 3
NCE = NoiseContrastiveEstimation(NU, frozen_noise=True)
LATENT_VARIABLE_MODELS = sorted(set(small_models()) - {"gaussian", "decoder", "binary_factors"})


def vnce(**parameters):
    return VariationalNoiseContrastiveEstimation(NU, frozen_noise=True, **parameters)


ENUMERATED = vnce(posterior="encoder", hidden_layer_sizes=(5,), n_importance_samples="all")


class Run:
    """A criterion set up on a small model, with unequal weights and the same noise for all."""

    def __init__(self, objective, energy, theta, X):
        self.objective, self.energy, self.X = objective, energy, X
        self.weights = (1.0 + np.arange(len(X)) % 3) / np.sum(1 + np.arange(len(X)) % 3)
        extra, self.state = FlatObjective(objective).init(
            energy, theta, X, self.weights, np.random.default_rng(0)
        )
        # log Z is of no account for what is compared, so long as it is the same.
        extra[0] = 0.3
        self.theta = np.concatenate([theta, extra])
        plain = FlatObjective(NCE).init(energy, theta, X, self.weights, np.random.default_rng(0))[1]
        self.state = self.state if plain is None else plain

    def __call__(self, theta=None, seed=0):
        theta = self.theta if theta is None else theta
        rng = np.random.default_rng(seed)
        return FlatObjective(self.objective).step(
            self.energy, theta, self.X, self.weights, self.state, rng
        )[:2]

    def with_encoder(self, phi):
        size = self.energy.layout.size + 1
        return np.concatenate([self.theta[:size], phi])


def against_plain(name, objective):
    model = small_models()[name]
    return Run(objective, *model), Run(NCE, *model)


# -- the exact posterior ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", LATENT_VARIABLE_MODELS)
def test_with_the_exact_posterior_it_is_noise_contrastive_estimation(name):
    variational, plain = against_plain(name, vnce())
    (value, gradient), (expected, expected_gradient) = variational(), plain()
    assert_allclose(value, expected, rtol=1e-10)
    assert_allclose(gradient, expected_gradient, rtol=1e-9, atol=1e-10)


def exact_encoder(name):
    """An energy whose posterior a perceptron can be, that perceptron, and its φ."""
    energy, theta, X = small_models()[name]
    views = energy.layout.views(theta)
    precision = 1.0 if name == "bernoulli_rbm" else 1 / energy.variances(theta)
    encoder = DiscreteEncoder(energy.n_features, energy.n_components)
    phi = encoder.layout.pack(
        coefs_0=views["weights"] * precision, intercepts_0=views["hidden_bias"]
    )
    return (energy, theta, X), encoder, phi


@pytest.mark.parametrize("name", ["bernoulli_rbm", "gaussian_rbm"])
def test_with_an_encoder_that_is_the_posterior_the_sum_over_all_states_is_the_same(name):
    model, encoder, phi = exact_encoder(name)
    run = Run(vnce(posterior=encoder, n_importance_samples="all"), *model)
    expected, expected_gradient = Run(NCE, *model)()
    value, gradient = run(run.with_encoder(phi))
    assert_allclose(value, expected, rtol=1e-10)
    size = model[0].layout.size + 1
    assert_allclose(gradient[:size], expected_gradient, rtol=1e-9, atol=1e-10)
    assert_allclose(gradient[size:], 0, atol=1e-10)


@pytest.mark.parametrize("name", ["bernoulli_rbm", "gaussian_rbm"])
def test_with_draws_from_the_posterior_the_value_has_no_noise_and_the_gradient_no_bias(name):
    model, encoder, phi = exact_encoder(name)
    run = Run(vnce(posterior=encoder, n_importance_samples=3), *model)
    expected, expected_gradient = Run(NCE, *model)()
    draws = [run(run.with_encoder(phi), seed) for seed in range(200)]
    assert_allclose([value for value, _ in draws], expected, rtol=1e-9)
    gradients = np.array([gradient for _, gradient in draws])[:, : len(expected_gradient)]
    deviation = gradients.std(axis=0) / np.sqrt(len(draws))
    assert np.all(np.abs(gradients.mean(axis=0) - expected_gradient) <= 5 * deviation + 1e-9)


# -- the bound -------------------------------------------------------------------------------------


def test_over_all_states_the_gradient_is_central_differences():
    variational, _ = against_plain("bernoulli_rbm", ENUMERATED)
    theta = variational.theta + 0.3 * np.cos(np.arange(variational.theta.size))
    layout = variational.energy.layout + ENUMERATED.own_layout(variational.energy)
    assert_is_gradient(variational(theta)[1], lambda t: variational(t)[0], theta, layout, step=1e-5)


@pytest.mark.parametrize("name", LATENT_VARIABLE_MODELS)
def test_with_any_other_posterior_it_is_an_upper_bound_of_it(name, rng):
    variational, plain = against_plain(name, ENUMERATED)
    theta = variational.theta
    for _ in range(20):
        theta[plain.theta.size :] = rng.standard_normal(theta.size - plain.theta.size)
        theta[: plain.theta.size] = 0.7 * rng.standard_normal(plain.theta.size)
        assert variational(theta)[0] > plain(theta[: plain.theta.size])[0]


@pytest.mark.parametrize("name", LATENT_VARIABLE_MODELS)
def test_the_gap_is_the_f_divergence_of_the_two_posteriors(name):
    variational, plain = against_plain(name, ENUMERATED)
    energy, X, theta = variational.energy, variational.X, plain.theta[:-1]
    K = energy.n_components
    states = np.eye(K) if name == "gaussian_mixture" else binary_states(K)
    log_joint = np.transpose(
        [-energy.evaluate_joint(theta, X, np.tile(z, (len(X), 1)))[0] for z in states]
    )
    p = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    encoder = variational.objective.encoder(energy)
    distribution = encoder.encode(variational.theta[plain.theta.size :], X)
    q = np.exp(distribution.log_density(states[:, np.newaxis])).T
    assert_allclose(q.sum(axis=1), 1)
    log_noise = variational.state.density.log_density(X)
    log_model = logsumexp(log_joint, axis=1) - 0.3 * np.sqrt(X.shape[1])
    kappa = expit(log_model - log_noise - np.log(NU))[:, np.newaxis]
    gaps = (q * np.log(kappa + (1 - kappa) * q / p)).sum(axis=1)
    assert np.all(gaps > 0)
    assert_allclose(variational()[0] - plain()[0], variational.weights @ gaps, rtol=1e-8)


@pytest.mark.parametrize("name", ["bernoulli_rbm", "deep", "gaussian_mixture"])
def test_the_gap_closes_as_the_encoder_learns_the_posterior(name):
    """By the criterion's own gradient in φ, the model held fixed."""
    objective = vnce(
        posterior="encoder",
        hidden_layer_sizes=(12,),
        activation="tanh",
        n_importance_samples="all",
    )
    variational, plain = against_plain(name, objective)
    size, floor = plain.theta.size, plain()[0]

    def criterion(phi):
        value, gradient = variational(variational.with_encoder(phi))
        return value, gradient[size:]

    phi, _, _ = LBFGS(gradient_tol=1e-7, value_tol=0).minimize(
        criterion, variational.theta[size:], 1000, lambda phi, value: None
    )
    before, after = criterion(variational.theta[size:])[0] - floor, criterion(phi)[0] - floor
    assert 0 < after < 0.01 * before
    # Only the rows of data teach the encoder.
    distribution = objective.encoder(variational.energy).encode(phi, variational.X)
    expected = variational.energy.posterior(plain.theta[:-1], variational.X)
    assert np.abs(distribution.mean - expected).max() < 0.1


def test_few_importance_samples_make_the_second_term_too_small():
    name = "deep"
    variational, _ = against_plain(name, ENUMERATED)
    exact = variational()[0]

    def mean_value(n_draws):
        sampled = Run(
            vnce(posterior="encoder", hidden_layer_sizes=(5,), n_importance_samples=n_draws),
            *small_models()[name],
        )
        values = [sampled(variational.theta, seed)[0] for seed in range(400)]
        return np.mean(values), np.std(values) / 20

    (few, few_error), (many, many_error) = mean_value(2), mean_value(50)
    assert few < exact - 5 * few_error
    assert abs(many - exact) < (exact - few) / 5 + 5 * many_error


# -- the encoder's gradient ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bernoulli_rbm", "gaussian_mixture"])
@pytest.mark.parametrize("n_draws", [1, 4])
def test_draws_give_the_encoders_gradient_without_bias(name, n_draws):
    exact, _ = against_plain(name, ENUMERATED)
    sampled = Run(
        vnce(posterior="encoder", hidden_layer_sizes=(5,), n_importance_samples=n_draws),
        *small_models()[name],
    )
    theta = exact.theta + 0.5 * np.cos(np.arange(exact.theta.size))
    of_encoder = slice(exact.energy.layout.size + 1, None)
    expected = exact(theta)[1][of_encoder]
    gradients = np.array([sampled(theta, seed)[1][of_encoder] for seed in range(400)])
    deviation = gradients.std(axis=0) / np.sqrt(len(gradients))
    assert np.all(np.abs(gradients.mean(axis=0) - expected) <= 5 * deviation + 1e-9)


# -- real latent variables -------------------------------------------------------------------------


def linear_decoder(rng, d=3, K=2, sigma=0.7):
    """A linear Gaussian model, an encoder that can be its posterior, the φ that make it so."""
    decoder = DecoderEnergy(GaussianLikelihood(d, sigma), K)
    encoder = GaussianEncoder(d, K, full=True)
    W, a = rng.standard_normal((d, K)), rng.standard_normal(d)
    covariance = np.linalg.inv(np.eye(K) + W.T @ W / sigma**2)
    L, V = np.linalg.cholesky(covariance), covariance @ W.T / sigma**2
    log_scales, below = np.log(np.diagonal(L)), L[np.tril_indices(K, -1)]
    outputs = np.concatenate([log_scales, below])
    phi = encoder.layout.pack(
        coefs_0=np.vstack([V, np.zeros((len(outputs), d))]),
        intercepts_0=np.append(-V @ a, outputs),
    )
    theta = decoder.layout.pack(coefs_0=W, intercepts_0=a)
    distribution = multivariate_normal(a, W @ W.T + sigma**2 * np.eye(d))
    return decoder, encoder, theta, phi, distribution


def run_on_decoder(rng, n_draws=4):
    decoder, encoder, theta, phi, distribution = linear_decoder(rng)
    reference = GaussianDensity(np.zeros(3), 3 * np.eye(3))
    objective = VariationalNoiseContrastiveEstimation(
        NU, reference, encoder, n_importance_samples=n_draws, frozen_noise=True
    )
    X = rng.standard_normal((12, 3))
    weights = (1.0 + np.arange(12) % 3) / 24
    _, state = FlatObjective(objective).init(decoder, theta, X, weights, np.random.default_rng(0))

    def step(full, seed=0):
        return FlatObjective(objective).step(
            decoder, full, X, weights, state, np.random.default_rng(seed)
        )[:2]

    return (
        step,
        np.concatenate([theta, [0.3], phi]),
        (decoder, encoder, X, weights, state, distribution),
    )


def test_with_a_gaussian_encoder_that_is_the_posterior_it_is_that_of_the_marginal_density(rng):
    step, full, (decoder, _, X, weights, noise, distribution) = run_on_decoder(rng)

    def plain(rows):
        c = 0.3 * np.sqrt(3) + np.log(NU)
        return distribution.logpdf(rows) - c - noise.density.log_density(rows)

    expected = -weights @ log_expit(plain(X)) - np.sum(log_expit(-plain(noise.rows))) / len(X)
    values, gradients = zip(*(step(full, seed) for seed in range(150)), strict=True)
    assert_allclose(values, expected, rtol=1e-9)
    of_encoder = np.array(gradients)[:, decoder.layout.size + 1 :]
    deviation = of_encoder.std(axis=0) / np.sqrt(150)
    assert np.all(np.abs(of_encoder.mean(axis=0)) <= 5 * deviation + 1e-9)


def test_gradients_with_a_gaussian_encoder_are_central_differences(rng):
    step, full, (decoder, encoder, X, weights, noise, _) = run_on_decoder(rng)
    full = full + 0.3 * np.cos(np.arange(full.size))
    size = decoder.layout.size + 1
    gradient = step(full)[1]

    def of_model(theta):
        return step(np.concatenate([theta, full[size:]]))[0]

    assert_allclose(gradient[:size], numerical_gradient(of_model, full[:size]), rtol=1e-6)

    # The encoder sees the first term alone, with densities by other code.
    seed = int(np.random.default_rng(0).integers(2**63))
    W, a = (decoder.layout.views(full[: size - 1])[name] for name in ("coefs_0", "intercepts_0"))

    def first_term(phi):
        encoding = encoder.encode(phi, X)
        noise_of_z = standard_normal((4 * len(X), 2), seed, dtype=np.float64).reshape(4, -1, 2)
        L = encoding.factor()
        total = 0.0
        for epsilon in noise_of_z:
            Z = encoding.mean + np.einsum("nij,nj->ni", L, epsilon)
            for x, z, mean, factor, w in zip(X, Z, encoding.mean, L, weights, strict=True):
                log_joint = multivariate_normal(a + W @ z, 0.49 * np.eye(3)).logpdf(x)
                log_joint += multivariate_normal(np.zeros(2), np.eye(2)).logpdf(z)
                log_q = multivariate_normal(mean, factor @ factor.T).logpdf(z)
                contrast = log_joint - log_q - full[size - 1] * np.sqrt(3) - np.log(NU)
                contrast -= noise.density.log_density(x[np.newaxis])[0]
                total -= w / 4 * log_expit(contrast)
        return total

    expected = numerical_gradient(first_term, full[size:])
    error = np.linalg.norm(gradient[size:] - expected)
    assert error <= 1e-6 * np.linalg.norm(expected)


@pytest.mark.parametrize("is_binary", [True, False])
def test_the_noise_of_a_decoder_is_of_the_kind_of_the_data(is_binary, rng):
    X = rng.random((40, 3))
    likelihood = BernoulliLikelihood(3) if is_binary else GaussianLikelihood(3)
    X = (X < 0.4).astype(float) if is_binary else X
    training = Training(
        DecoderEnergy(likelihood, 2, (4,)),
        VariationalNoiseContrastiveEstimation(NU),
        Adam(0.01),
        X,
        np.ones(40),
        rng,
    )
    kind = IndependentBernoulliDensity if is_binary else GaussianDensity
    assert isinstance(training.objective_state.density, kind)
    value, _ = training.step(X, np.ones(40))
    assert np.isfinite(value)


# -- what fits and what does not -------------------------------------------------------------------


def test_all_states_are_those_of_few_binary_units_only(rng):
    objective = vnce(posterior="encoder", n_importance_samples="all")
    energy, X = GaussianRBMEnergy(2, 13), rng.standard_normal((9, 2))
    with pytest.raises(ValueError, match=r"at most 12 binary latent variables.*has 13"):
        FlatObjective(objective).init(
            energy, random_parameters(energy, rng), X, np.full(9, 1 / 9), rng
        )
    _, full, (decoder, _, X, weights, _, _) = run_on_decoder(rng)
    with pytest.raises(ValueError, match="has 2 real ones"):
        FlatObjective(objective).init(decoder, full[: decoder.layout.size], X, weights, rng)


@pytest.mark.parametrize(
    ("name", "value"),
    [("posterior", "exakt"), ("posterior", None), ("n_importance_samples", 0), ("noise_ratio", 0)],
)
def test_a_parameter_out_of_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of VariationalNoise"):
        VariationalNoiseContrastiveEstimation(**{name: value}).validate()


def test_an_exact_posterior_is_not_asked_of_an_energy_without(rng):
    _, _, (decoder, *_) = run_on_decoder(rng)
    with pytest.raises(ValueError, match="with the ExactPosterior capability"):
        check_capabilities(vnce(posterior="exact"), decoder, OBJECTIVES, "SomeModel")


def test_it_is_deterministic_where_neither_noise_nor_states_are_drawn():
    assert vnce(posterior="exact").deterministic
    assert ENUMERATED.deterministic
    assert not vnce().deterministic
    assert not VariationalNoiseContrastiveEstimation(posterior="exact").deterministic


@pytest.mark.parametrize(
    "model",
    [
        BernoulliRBM(3, binarize=0.0),
        GaussianRBM(3),
        DeepEnergyModel(3, hidden_layer_sizes=(4,)),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("posterior", ["auto", "encoder"])
def test_estimators_take_it_by_name_and_publish_what_they_always_do(model, posterior, rng):
    X = rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4))
    model.set_params(objective="vnce", optimizer=Adam(0.01), max_iter=3, random_state=0)
    model.set_params(objective__posterior=posterior, objective__noise_ratio=2)
    scores = model.fit(X.astype(np.float32)).score_samples(X.astype(np.float32))
    assert scores.dtype == np.float32
    assert model.transform(X).shape == (200, 3)
    assert len(model.history_["objective"]) == 3
    model.partial_fit(X.astype(np.float32))


def test_by_the_exact_posterior_an_estimator_is_that_of_noise_contrastive_estimation(rng):
    X = rng.standard_normal((100, 3)).astype(np.float64)
    parameters = {"max_iter": 5, "random_state": 0, "partition": "none"}
    models = [
        GaussianRBM(3, objective=name, **parameters).fit(X).components_ for name in ("nce", "vnce")
    ]
    assert_allclose(*models, rtol=1e-7)


# -- recovery of a density -------------------------------------------------------------------------


def toy():
    """Two widths at one place, as in Rhodes & Gutmann; equal masses."""
    energy = GaussianMixtureEnergy(1, 2)
    return energy, energy.layout.pack(
        means=0.0, log_scale=np.log([1.0, 4.0]), log_heights=-np.log([4.0])
    )


def fit_toy(objective, n, seed):
    """θ and c, with the noise held fixed, from the truth and an encoder that has learned that."""
    energy, true = toy()
    X = energy.sample(true, n, np.random.default_rng([n, seed]))
    weights, rng = np.full(n, 1 / n), np.random.default_rng(seed)
    extra, state = FlatObjective(objective).init(energy, true, X, weights, rng)
    theta = np.concatenate([true, extra])
    for free in (slice(true.size + 1, None), slice(None)):

        def criterion(some, free=free):
            full = theta.copy()
            full[free] = some
            with np.errstate(over="ignore", invalid="ignore"):
                value, gradient, _ = FlatObjective(objective).step(
                    energy, full, X, weights, state, rng
                )
            return value, gradient[free]

        if theta[free].size:
            theta[free], _, _ = LBFGS(gradient_tol=1e-5, value_tol=1e-10).minimize(
                criterion, theta[free].copy(), 1000, lambda theta, value: None
            )
    return theta[: true.size], theta[true.size]


TOY_CRITERIA = {
    "nce": NoiseContrastiveEstimation(5, frozen_noise=True),
    "exact": VariationalNoiseContrastiveEstimation(5, frozen_noise=True),
    "encoder": VariationalNoiseContrastiveEstimation(
        5,
        posterior="encoder",
        hidden_layer_sizes=(10,),
        activation="tanh",
        n_importance_samples="all",
        frozen_noise=True,
    ),
}


@pytest.mark.parametrize("name", sorted(TOY_CRITERIA))
def test_the_learned_log_partition_is_near_the_true_one(name):
    energy, _ = toy()
    theta, log_partition = fit_toy(TOY_CRITERIA[name], 1500, 0)
    assert abs(log_partition - energy.log_partition(theta)) < 0.1


@pytest.mark.slow
def test_the_error_falls_with_n_as_that_of_noise_contrastive_estimation():
    _, true = toy()

    def squared_error(objective, n, seed):
        return np.sum((fit_toy(objective, n, seed)[0] - true) ** 2)

    # The median, for single fits of few rows run away to a component without mass.
    sizes = np.array([250, 1000, 4000])
    errors = {
        name: np.median([[squared_error(c, n, seed) for seed in range(8)] for n in sizes], axis=1)
        for name, c in TOY_CRITERIA.items()
    }
    assert_allclose(errors["exact"], errors["nce"], rtol=1e-2)
    for error in errors.values():
        assert -1.7 < np.polyfit(np.log(sizes), np.log(error), 1)[0] < -0.5
    assert errors["encoder"][-1] < 2 * errors["nce"][-1]
