"""Draws and densities of some units given the others, for both machines."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, norm

from sklvm import BernoulliRBM, DeepEnergyModel, GaussianRBM
from sklvm.testing import ExactDistribution, binary_states

NAN = np.nan


@pytest.fixture(scope="module")
def binary():
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.random((500, 2)) < 0.5, 2, axis=1)
    X = (groups != (rng.random((500, 4)) < 0.1)).astype(np.float64)
    return BernoulliRBM(3, max_iter=60, random_state=0).fit(X)


@pytest.fixture(scope="module")
def real():
    rng = np.random.default_rng(0)
    side = np.where(rng.random(800) < 0.5, -1.5, 1.5)
    X = np.column_stack([side, side]) + 0.5 * rng.standard_normal((800, 2))
    return GaussianRBM(4, max_iter=100, random_state=0).fit(X)


def conditional_cdf(model, held):
    """x₁ ↦ P(x₁' ≤ x₁ | x₀ = held), from the mixture of 2^K Gaussians."""
    Z = binary_states(4)
    W, a, b = model.components_, model.intercept_visible_, model.intercept_hidden_
    means, sigma = a + Z @ W, model.sigma_
    log_weights = Z @ b + ((means**2).sum(axis=1) - a @ a) / (2 * sigma**2)
    log_weights += norm.logpdf(held, means[:, 0], sigma)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    mean = weights @ means[:, 1]
    return (lambda x: norm.cdf(x[:, np.newaxis], means[:, 1], sigma) @ weights), mean


# -- clamped draws --------------------------------------------------------------------------------


def test_draws_follow_the_model(binary, real):
    distribution = ExactDistribution(*binary.fitted_energy_, np.eye(4))
    distribution.assert_drawn(binary.sample(20_000, n_steps=10, random_state=0))
    distribution = ExactDistribution(*real.fitted_energy_, np.eye(2))
    # From one of its two modes to the other it is a long way.
    distribution.assert_drawn(real.sample(20_000, n_steps=50, random_state=0))


def test_clamped_binary_draws_follow_the_conditional(binary):
    draws = binary.sample(20_000, n_steps=10, given=[1, NAN, 0, NAN], random_state=0)
    assert np.all(draws[:, [0, 2]] == [1, 0])
    distribution = ExactDistribution(*binary.fitted_energy_, np.eye(4), {0: 1, 2: 0})
    distribution.assert_drawn(draws)


def test_clamped_real_draws_follow_the_conditional(real):
    draws = real.sample(5000, given=[1.0, NAN], random_state=0)
    assert np.all(draws[:, 0] == 1.0)
    assert kstest(draws[:, 1], conditional_cdf(real, 1.0)[0]).pvalue > 1e-4


@pytest.fixture(scope="module")
def deep():
    rng = np.random.default_rng(0)
    side = np.where(rng.random(800) < 0.5, -1.0, 1.0)
    X = np.column_stack([side, side]) + 0.5 * rng.standard_normal((800, 2))
    model = DeepEnergyModel(
        6,
        hidden_layer_sizes=(),
        sigma="learn",
        max_iter=30,
        random_state=0,
        objective="score_matching",
        optimizer="adam",
    )
    return model.fit(X)


def density_given(model, held):
    """x₁ and p(x₁ | x₀ = held) on a fine grid."""
    places = np.linspace(-8, 8, 4001)
    energies = model.energy(np.column_stack([np.full_like(places, held), places]))
    p = np.exp(-energies + energies.min())
    return places, p / np.trapezoid(p, places)


@pytest.mark.parametrize("init", ["reference", [0.0, 0.0]])
def test_models_without_gibbs_sampling_are_clamped_as_well(deep, init):
    draws = deep.sample(1000, given=[0.6, NAN], init=init, random_state=0)
    assert np.all(draws[:, 0] == 0.6)
    places, p = density_given(deep, 0.6)
    cdf = np.cumsum(p) * (places[1] - places[0])
    assert kstest(draws[:, 1], lambda x: np.interp(x, places, cdf)).pvalue > 1e-4
    filled = deep.impute(np.tile([[0.6, NAN]], (100, 1)), n_steps=20, random_state=0)
    assert_array_equal(filled[:, 0], 0.6)
    assert filled[:, 1].mean() == pytest.approx(np.trapezoid(places * p, places), abs=0.1)


def test_each_row_has_its_own_clamps_and_start(binary):
    given = np.array([[1, NAN, NAN, NAN], [NAN, NAN, 0, 0]])
    draws = binary.sample(2, given=given, init=[0, 1, 0, 1], random_state=0)
    assert draws[0, 0] == 1
    assert_array_equal(draws[1, 2:], 0)
    start = np.array([[0.0, 1, 0, 1], [1, 1, 0, 0]])
    assert_array_equal(binary.sample(2, n_steps=0, init=start), start)


def test_draws_repeat_with_their_seed(binary, real):
    for model in (binary, real):
        first, again, other = (model.sample(50, random_state=seed) for seed in (0, 0, 1))
        assert_array_equal(first, again)
        assert np.any(first != other)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_steps": -1}, "n_steps"),
        ({"init": "here"}, "init must be 'reference'"),
        ({"init": [0.0, NAN, 0.0, 1.0]}, "NaN"),
        ({"given": [1.0, NAN]}, r"given must have shape \(4,\) or \(1, 4\)"),
        ({"given": [2.0, NAN, NAN, NAN]}, "binarize"),
    ],
)
def test_bad_arguments_of_sample_are_named(binary, arguments, match):
    with pytest.raises(ValueError, match=match):
        binary.sample(**arguments)


# -- imputation -----------------------------------------------------------------------------------


def test_imputed_means_are_the_conditional_means(binary, real):
    X = np.array([[1, NAN, 0, 1], [0, 1, 1, 1], [NAN, 1, NAN, 0.0]])
    filled = binary.impute(X, n_steps=1500, random_state=0)
    assert_array_equal(filled[1], X[1])
    assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    for row, clamped in ((0, {0: 1, 2: 0, 3: 1}), (2, {1: 1, 3: 0})):
        distribution = ExactDistribution(*binary.fitted_energy_, np.eye(4), clamped)
        assert_allclose(filled[row], distribution.mean(lambda S: S), atol=0.04)
    filled = real.impute([[1.0, NAN]], n_steps=1500, random_state=0)
    assert filled[0, 1] == pytest.approx(conditional_cdf(real, 1.0)[1], abs=0.07)


def test_imputed_draws_follow_the_conditional(binary):
    X = np.tile([[1, NAN, 0, NAN]], (20_000, 1))
    draws = binary.impute(X, method="draw", n_steps=10, random_state=0)
    distribution = ExactDistribution(*binary.fitted_energy_, np.eye(4), {0: 1, 2: 0})
    distribution.assert_drawn(draws)
    assert np.isnan(X).any()


def test_imputation_keeps_the_dtype_and_complete_data(binary, real):
    X = np.eye(4)
    assert_array_equal(binary.impute(X), X)
    assert real.impute(np.array([[1.0, NAN]], dtype=np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match="method must be 'mean' or 'draw'"):
        binary.impute(X, method="mode")


def test_observed_entries_come_back_exactly_as_they_were():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3)).astype(np.float32)
    model = GaussianRBM(2, max_iter=1, partition="none", random_state=0).fit(X)
    # Neither number is one of single precision.
    given = np.array([[0.1, NAN, 16777217.0], [1.0, 2.0, 3.0]])
    filled = model.impute(given, random_state=0)
    assert filled.dtype == np.float64
    assert_array_equal(filled[~np.isnan(given)], given[~np.isnan(given)])
    assert np.isfinite(filled).all()

    grey = rng.random((50, 3))
    model = BernoulliRBM(2, binarize=0.5, max_iter=1, partition="none", random_state=0).fit(grey)
    given = np.array([[0.7, NAN, 0.2]])
    filled = model.impute(given, method="draw", random_state=0)
    assert_array_equal(filled[0, [0, 2]], [0.7, 0.2])
    assert filled[0, 1] in (0, 1)


def test_transform_of_incomplete_rows_is_a_fixed_point_of_the_mean_field_equations(binary):
    X = np.array([[1, NAN, 0, NAN]])
    Z = binary.transform(X)
    filled = np.where(np.isnan(X), binary.inverse_transform(Z), X)
    assert_allclose(binary.transform(filled), Z, atol=1e-4)


def test_another_number_of_hidden_units_is_refused(binary):
    with pytest.raises(ValueError, match="Z has 4 columns, and this BernoulliRBM has 3 components"):
        binary.inverse_transform(np.eye(4))


# -- conditional densities ------------------------------------------------------------------------


def test_conditional_probabilities_are_ratios_of_sums(binary):
    states = binary_states(4)
    p = np.exp(binary.score_samples(states))
    for free in ([True, False, False, False], [False, True, False, True], [True] * 4):
        free = np.array(free)
        expected = [
            np.log(p[i] / p[(states[:, ~free] == states[i, ~free]).all(axis=1)].sum())
            for i in range(len(states))
        ]
        assert_allclose(binary.conditional_log_proba(states, free), expected, atol=1e-9)
        for_each = np.tile(free, (len(states), 1))
        assert_allclose(binary.conditional_log_proba(states, for_each), expected, atol=1e-9)


def test_conditional_densities_are_derivatives_of_the_conditional_distribution(real):
    cdf, _ = conditional_cdf(real, 1.0)
    x = np.linspace(-2, 2, 9)
    derivative = (cdf(x + 1e-5) - cdf(x - 1e-5)) / 2e-5
    X = np.column_stack([np.full(9, 1.0), x])
    assert_allclose(
        real.conditional_log_proba(X, np.array([False, True])), np.log(derivative), atol=1e-6
    )


def test_nothing_free_has_probability_one(binary):
    free = np.zeros(4, dtype=bool)
    assert_array_equal(binary.conditional_log_proba(np.eye(4), free), 0)


@pytest.mark.parametrize("free", [[True, False], [0, 1, 0, 1]])
def test_a_mask_of_another_kind_is_refused(binary, free):
    with pytest.raises(ValueError, match="free must be a mask"):
        binary.conditional_log_proba(np.eye(4), free)
    with pytest.raises(ValueError, match="complete rows"):
        binary.conditional_log_proba([[NAN, 0, 0, 0]], np.ones(4, dtype=bool))


def test_pickled_models_go_on_as_if_nothing_had_happened(binary, real):
    rng = np.random.default_rng(1)
    for model, X in ((binary, (rng.random((200, 4)) < 0.5) * 1.0), (real, rng.random((200, 2)))):
        one, two = (pickle.loads(pickle.dumps(model)) for _ in range(2))
        one.partial_fit(X)
        two = pickle.loads(pickle.dumps(two.partial_fit(X[:100]))).partial_fit(X[100:])
        assert_array_equal(one.components_, two.components_)
