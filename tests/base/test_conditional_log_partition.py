"""Energies of which part of a row is given: log Z is one number a row, and is never mistaken."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklvm import BernoulliRBM, GaussianRBM
from sklvm.base import ConditionalLogPartition
from sklvm.energies import BernoulliRBMEnergy, GaussianRBMEnergy
from sklvm.objectives import OBJECTIVES, check_capabilities, suitable_objectives
from sklvm.partition import (
    AnnealedImportanceSampling,
    check_partition,
    conditional_log_partition,
    fit_reference,
)
from sklvm.testing import binary_states

N_INPUTS, N_FEATURES, N_HIDDEN = 2, 5, 3
BUDGET = AnnealedImportanceSampling(200, 50)


class ConditionalRBMEnergy(BernoulliRBMEnergy):
    """An RBM over [x, y] of which only p(y | x) is a model: x enters as a bias."""

    n_inputs = N_INPUTS


class ConditionalGaussianRBMEnergy(GaussianRBMEnergy):
    n_inputs = 1


class ConditionalRBM(BernoulliRBM):
    def _make_energy(self, n_features):
        return ConditionalRBMEnergy(n_features, self.n_components)


class ConditionalGaussianRBM(GaussianRBM):
    def _make_energy(self, n_features):
        return ConditionalGaussianRBMEnergy(n_features, self.n_components, sigma=0.7)


@pytest.fixture
def energy():
    return ConditionalRBMEnergy(N_FEATURES, N_HIDDEN)


@pytest.fixture
def theta(energy, rng):
    return rng.standard_normal(energy.layout.size)


@pytest.fixture(scope="module")
def X():
    """Outputs are copies of the inputs' first bit, wrong one time in ten."""
    rng = np.random.default_rng(1)
    x = (rng.random((400, N_INPUTS)) < [0.2, 0.5]).astype(np.float64)
    y = x[:, [0, 0, 0]] != (rng.random((400, 3)) < 0.1)
    return np.hstack([x, y])


def summed_over_outputs(energy, theta, X):
    """log Σ_y Σ_z p̃(x, y, z) by brute force."""
    views = energy.layout.views(theta)
    Y, Z = binary_states(N_FEATURES - N_INPUTS), binary_states(N_HIDDEN)
    values = []
    for x in X:
        V = np.hstack([np.tile(x[:N_INPUTS], (len(Y), 1)), Y])
        joint = V @ views["weights"].T @ Z.T + (V @ views["visible_bias"])[:, None]
        values.append(logsumexp(joint + Z @ views["hidden_bias"]))
    return np.array(values)


# -- log Z(x) -------------------------------------------------------------------------------------


def test_the_exact_value_is_the_sum_over_the_outputs(energy, theta, X):
    estimate = conditional_log_partition(energy, theta, X[:40])
    assert estimate.method == "exact"
    assert_allclose(estimate.value, summed_over_outputs(energy, theta, X[:40]), rtol=1e-12)
    assert_array_equal(estimate.std_err, 0)


def test_the_annealed_value_agrees_within_its_error(energy, theta, X):
    reference = fit_reference(energy, X)
    estimate = conditional_log_partition(
        energy, theta, X[:12], reference, method="ais", budget=BUDGET
    )
    error = estimate.value - summed_over_outputs(energy, theta, X[:12])
    assert np.all(np.abs(error) < 4 * estimate.std_err + 1e-6)
    assert np.all((estimate.std_err > 0) & (estimate.std_err < 0.2))


def test_outputs_in_the_row_do_not_matter(energy, theta, X):
    other = np.hstack([X[:3, :N_INPUTS], 1 - X[:3, N_INPUTS:]])
    reference = fit_reference(energy, X)
    for method in ("exact", "ais"):
        values, others = (
            conditional_log_partition(
                energy, theta, rows, reference, method=method, budget=BUDGET
            ).value
            for rows in (X[:3], other)
        )
        assert_array_equal(values, others)


def test_a_row_has_the_same_value_whatever_rows_come_with_it(energy, theta, X):
    reference = fit_reference(energy, X)
    options = {"method": "ais", "budget": BUDGET, "seed": [3, 7]}
    together = conditional_log_partition(energy, theta, X[:4], reference, **options).value
    apart = [
        conditional_log_partition(energy, theta, X[[i]], reference, **options).value[0]
        for i in (3, 1)
    ]
    assert_array_equal(together[[3, 1]], apart)


def test_real_outputs_integrate_to_one(rng):
    energy = ConditionalGaussianRBMEnergy(2, 3, sigma=0.7)
    theta = rng.standard_normal(energy.layout.size)
    y = np.linspace(-12, 12, 2401)
    for x in (-1.0, 0.5):
        rows = np.column_stack([np.full_like(y, x), y])
        mass = logsumexp(-energy.evaluate(theta, rows)[0]) + np.log(y[1] - y[0])
        estimate = conditional_log_partition(energy, theta, rows[:1])
        assert_allclose(estimate.value, mass, atol=1e-10)
        reference = fit_reference(energy, rng.standard_normal((50, 2)))
        annealed = conditional_log_partition(energy, theta, rows[:1], reference, method="ais")
        assert_allclose(annealed.value, mass, atol=4 * annealed.std_err[0] + 1e-6)


@pytest.mark.parametrize(
    ("method", "message"),
    [("guess", "method must be"), ("exact", "neither a closed form nor"), ("ais", "reference")],
)
def test_what_cannot_be_had_is_refused(method, message, X):
    large = ConditionalRBMEnergy(60, 30)
    theta = np.zeros(large.layout.size)
    with pytest.raises(ValueError, match=message):
        conditional_log_partition(large, theta, np.zeros((1, 60)), method=method)
    with pytest.raises(ValueError, match="partition='exact' needs"):
        check_partition(large, "exact")


# -- objectives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nce", "vnce", "mle"])
def test_criteria_that_take_log_z_for_one_number_are_refused(energy, name):
    message = (
        r"takes log Z for one number, and that of a conditional model depends on the inputs in "
        r"each row. Objectives that fit are"
    )
    with pytest.raises(ValueError, match=message):
        check_capabilities(OBJECTIVES[name](), energy, OBJECTIVES, "ConditionalRBM")
    assert name not in suitable_objectives(energy, OBJECTIVES)
    assert name in suitable_objectives(BernoulliRBMEnergy(N_FEATURES, N_HIDDEN), OBJECTIVES)


# -- estimators -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(X):
    return ConditionalRBM(N_HIDDEN, objective="cd", max_iter=200, random_state=0).fit(X)


def test_scores_are_log_probabilities_of_the_outputs_given_the_inputs(model, X):
    outputs = binary_states(N_FEATURES - N_INPUTS)
    for x in binary_states(N_INPUTS):
        rows = np.hstack([np.tile(x, (len(outputs), 1)), outputs])
        assert np.exp(model.score_samples(rows)).sum() == pytest.approx(1)
    assert model.score_normalized_
    single = pickle.loads(pickle.dumps(model)).score_samples(X[:5])
    assert_array_equal(single, model.score_samples(X[:7])[:5])


def test_training_moves_the_outputs_only_and_learns_what_they_are_given_the_inputs(model, X):
    truth = 3 * (0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert model.score(X) > truth - 0.15


def test_draws_are_of_the_outputs_for_inputs_that_are_given(model):
    given = [1.0, 0.0, np.nan, np.nan, np.nan]
    draws = model.sample(2000, given=given, random_state=0)
    assert_array_equal(draws[:, :N_INPUTS], np.tile([1.0, 0.0], (2000, 1)))
    outputs = binary_states(N_FEATURES - N_INPUTS)
    p = np.exp(model.score_samples(np.hstack([np.tile([1.0, 0.0], (8, 1)), outputs])))
    shares = [(draws[:, N_INPUTS:] == y).all(axis=1).mean() for y in outputs]
    assert_allclose(shares, p, atol=4 * np.sqrt(0.25 / 2000))
    for incomplete in (None, [np.nan] * 5):
        with pytest.raises(ValueError, match=r"given the first 2: pass the values of these"):
            model.sample(2, given=incomplete)


def test_it_has_no_one_log_partition(model, X):
    assert not hasattr(model, "log_partition_")
    assert not hasattr(model, "estimate_log_partition")
    with pytest.raises(AttributeError, match="one for each row: ask conditional_log_partition"):
        model.log_partition_  # noqa: B018
    value, std_err = model.conditional_log_partition(X[:6])
    assert_allclose(-model.energy(X[:6]) - value, model.score_samples(X[:6]))
    assert_array_equal(std_err, 0)
    annealed, std_err = model.conditional_log_partition(X[:3], partition=BUDGET, random_state=1)
    assert_allclose(annealed, value[:3], atol=4 * std_err.max() + 1e-6)
    assert not hasattr(BernoulliRBM(2, max_iter=0).fit(X), "conditional_log_partition")


def test_annealed_scores_do_not_depend_on_the_rows_beside_them(X):
    model = ConditionalGaussianRBM(2, objective="cd", partition=BUDGET, max_iter=1, random_state=0)
    model.fit(X)
    scores = model.score_samples(X[:3])
    assert_array_equal(scores[1:], model.score_samples(X[1:3]))
    exact = clone(model).set_params(partition="auto").fit(X).score_samples(X[:3])
    assert_allclose(scores, exact, atol=0.2)


def test_a_verbose_estimate_says_how_many_rows_are_done(model, X, capsys):
    model.conditional_log_partition(X[:20], partition=BUDGET, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "[ConditionalRBM] log Z(x): row 2 of 20"
    assert lines[-1].startswith("[ConditionalRBM] log Z(x) of 20 rows (ais, ")
    assert len(lines) == 11


def test_few_chains_warn(rng):
    wide = ConditionalRBMEnergy(40, N_HIDDEN)
    X = (rng.random((20, 40)) < 0.5).astype(np.float64)
    poor = ConditionalLogPartition(wide, AnnealedImportanceSampling(2, 100), seed=0)
    poor.show(X, np.ones(len(X)))
    with pytest.warns(ConvergenceWarning, match="of the chains in 4 of 4 rows"):
        poor.values(5 * rng.standard_normal(wide.layout.size), 0, X[:4])
