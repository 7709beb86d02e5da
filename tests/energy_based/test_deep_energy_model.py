"""The deep energy model as users use it."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklvm import DeepEnergyModel, ZCAWhitener
from sklvm.exceptions import DivergenceError
from sklvm.objectives import (
    ContrastiveDivergence,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
    ScoreMatching,
)
from sklvm.optimizers import LBFGS, SGD, Adam
from sklvm.partition import AnnealedImportanceSampling
from sklvm.testing import FlatObjective


def two_moons_like(n_samples, rng):
    """Two elongated blobs: not Gaussian, and its density is known."""
    side = np.where(rng.random(n_samples) < 0.5, -1.5, 1.5)
    return np.column_stack([side, 0 * side]) + rng.standard_normal((n_samples, 2)) * [0.6, 1.0]


def true_log_density(X):
    def blob(centre):
        z = (X - [centre, 0.0]) / [0.6, 1.0]
        return -0.5 * (z**2).sum(axis=1) - np.log(2 * np.pi * 0.6)

    return np.logaddexp(blob(-1.5), blob(1.5)) - np.log(2)


@pytest.fixture(scope="module")
def X():
    return two_moons_like(600, np.random.default_rng(0))


def small(**parameters):
    defaults = {
        "n_components": 4,
        "hidden_layer_sizes": (6,),
        "sigma": 1.0,
        "objective": "score_matching",
        "optimizer": "adam",
        "max_iter": 5,
        "partition": AnnealedImportanceSampling(100),
        "random_state": 0,
    }
    return DeepEnergyModel(**{**defaults, **parameters})


def test_log_partition_agrees_with_quadrature(X):
    model = small(partition=AnnealedImportanceSampling(500, n_chains=1000)).fit(X)
    model.estimate_log_partition()
    axis = np.linspace(-10, 10, 401)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    exact = logsumexp(-model.energy(grid)) + 2 * np.log(axis[1] - axis[0])
    assert model.log_partition_ == pytest.approx(exact, abs=0.02)
    assert model.log_partition_std_err_ < 0.01


def test_the_gradient_is_the_finite_difference_of_the_score(X):
    model = small(hidden_layer_sizes=(5, 4)).fit(X)
    step = 1e-5
    differences = [
        (model.score_samples(X + shift) - model.score_samples(X - shift)) / (2 * step)
        for shift in step * np.eye(2)
    ]
    np.testing.assert_allclose(model.gradient(X), np.transpose(differences), atol=1e-7)


@pytest.mark.parametrize(
    "objective",
    ["score_matching", DenoisingScoreMatching(0.2), NoiseContrastiveEstimation(5)],
    ids=["score_matching", "denoising", "nce"],
)
def test_every_objective_beats_the_gaussian_on_two_blobs(objective):
    rng = np.random.default_rng(3)
    train, test = two_moons_like(4000, rng), two_moons_like(2000, rng)
    model = DeepEnergyModel(
        4,
        hidden_layer_sizes=(8,),
        objective=objective,
        optimizer=Adam(0.01, schedule="cosine"),
        max_iter=40,
        partition=AnnealedImportanceSampling(200),
        random_state=0,
        sigma=1.0,
    ).fit(train)
    gap = true_log_density(test).mean() - model.score(test)
    gaussian_gap = true_log_density(test).mean() - ZCAWhitener().fit(train).score(test)
    assert gaussian_gap > 0.2
    assert gap < 0.3 * gaussian_gap


def test_lbfgs_finds_a_lower_criterion_than_adam(X):
    adam = small(max_iter=20, partition="none").fit(X)
    lbfgs = small(optimizer=LBFGS(gradient_tol=0, value_tol=0), partition="none")
    with pytest.warns(ConvergenceWarning, match="did not converge in max_iter=20"):
        lbfgs.set_params(max_iter=20).fit(X)
    assert lbfgs.history_["objective"][-1] < adam.history_["objective"][-1]
    assert np.all(np.diff(lbfgs.history_["objective"]) <= 0)


def test_lbfgs_refuses_a_criterion_that_draws_random_numbers(X):
    with pytest.raises(ValueError, match="LBFGS needs a deterministic objective"):
        small(objective="nce", optimizer="lbfgs").fit(X)


@pytest.mark.parametrize("optimizer", ["lbfgs", LBFGS()], ids=str)
def test_there_is_no_partial_fit_with_an_optimiser_that_needs_all_rows(X, optimizer):
    model = small(optimizer=optimizer, max_iter=1)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        model.partial_fit(X)
    assert "L-BFGS needs all rows at once" in str(caught.value.__cause__)
    # What was fitted decides, until the next fit.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X).set_params(optimizer="adam")
    assert not hasattr(model, "partial_fit")
    model.fit(X).set_params(optimizer="lbfgs")
    assert hasattr(model.partial_fit(X), "partial_fit")


def test_an_objective_that_does_not_fit_names_those_that_do(X):
    with pytest.raises(ValueError, match="score_matching") as caught:
        small(objective=ContrastiveDivergence(sampler="gibbs")).fit(X)
    assert "nce" in str(caught.value)
    assert "Gibbs" in str(caught.value)


def test_partial_fit_over_the_same_batches_does_what_fit_does(X):
    start = small(max_iter=0, shuffle=False, batch_size=64)
    fitted = clone(start).set_params(max_iter=2).fit(X)
    streamed = start.fit(X)
    for _ in range(2):
        for first in range(0, len(X), 64):
            assert streamed.partial_fit(X[first : first + 64]) is streamed
    for ours, theirs in zip(streamed.coefs_, fitted.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_without_log_z_the_score_is_minus_the_energy(X):
    model = small(partition="none").fit(X)
    assert not model.score_normalized_
    np.testing.assert_array_equal(model.score_samples(X), -model.energy(X))


@pytest.mark.filterwarnings("ignore:.*standard deviations from:sklvm.exceptions.FitWarning")
def test_log_z_that_rests_on_few_chains_warns():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 8))
    model = small(sigma=0.01, max_iter=1, partition=AnnealedImportanceSampling(2)).fit(X)
    with pytest.warns(ConvergenceWarning, match="of 100 chains"):
        model.score_samples(X)


def test_warm_start_continues(X):
    whole = small(max_iter=6).fit(X)
    halves = small(max_iter=3, warm_start=True, partition="none")
    halves.fit(X).fit(X)
    np.testing.assert_array_equal(halves.coefs_[0], whole.coefs_[0])


def test_a_pickled_model_goes_on_as_if_nothing_had_happened(X):
    model = small().fit(X)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.partial_fit(X).coefs_[0], model.partial_fit(X).coefs_[0])


def test_rows_of_weight_zero_do_not_count(X):
    weights = np.repeat([1.0, 0.0], [400, 200])
    weighted = small().fit(X, sample_weight=weights)
    removed = small().fit(X[:400])
    np.testing.assert_array_equal(weighted.coefs_[0], removed.coefs_[0])


def test_a_weight_of_two_is_a_repeated_row_for_full_batches():
    rng = np.random.default_rng(0)
    X = two_moons_like(200, rng)
    weights = rng.integers(1, 4, size=200).astype(float)
    energy, theta = small(max_iter=0, partition="none").fit(X).fitted_energy_
    repeated = np.repeat(X, weights.astype(int), axis=0)
    values = [
        FlatObjective(ScoreMatching()).step(energy, theta, data, w / w.sum(), None, None)
        for data, w in ((X, weights), (repeated, np.ones(len(repeated))))
    ]
    assert values[0][0] == pytest.approx(values[1][0])
    np.testing.assert_allclose(values[0][1], values[1][1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam(1e6), SGD(1e6)], ids=["adam", "sgd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_absurd_learning_rate_ends_in_an_error_with_finite_parameters(X, optimizer, dtype):
    model = small(optimizer=optimizer)
    with pytest.raises(DivergenceError, match="smaller learning rate"):
        model.fit(X.astype(dtype))
    assert all(np.all(np.isfinite(coef)) for coef in model.coefs_)
    assert np.all(np.isfinite(model.energy(X.astype(dtype))))


def test_early_stopping_returns_to_the_best_epoch(X):
    model = small(early_stopping=True, n_iter_no_change=3, max_iter=200, optimizer=Adam(0.05))
    model.fit(X[:100])
    validation = model.history_["validation_objective"]
    assert model.n_iter_ == len(validation) < 200
    assert validation.argmin() == len(validation) - 4


def test_tol_stops_and_an_unconverged_fit_warns(X):
    assert small(tol=1.0, n_iter_no_change=2, max_iter=50).fit(X).n_iter_ < 50
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        small(tol=1e-9, max_iter=2).fit(X)


def test_constant_features_do_no_harm(X):
    constant = np.column_stack([X, np.full(len(X), 3.0)])
    model = small().fit(constant)
    assert np.all(np.isfinite(model.score_samples(constant)))
    assert np.all(np.isfinite(model.sample(3, random_state=0)))


def test_samples_have_the_moments_of_the_density():
    rng = np.random.default_rng(1)
    train = two_moons_like(2000, rng)
    model = small(max_iter=20, optimizer=Adam(0.02)).fit(train)
    axis = np.linspace(-10, 10, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mass = np.exp(-model.energy(grid) + model.energy(grid).min())
    mass /= mass.sum()
    mean = mass @ grid
    variance = mass @ (grid - mean) ** 2
    draws = model.sample(4000, n_steps=20, random_state=0)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=4 * np.sqrt(variance.max() / 4000))
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=0.15)


def test_modes_are_where_the_gradient_vanishes(X):
    model = small(max_iter=30, optimizer=Adam(0.02)).fit(X)
    modes, log_densities = model.modes(X[:5])
    np.testing.assert_allclose(model.gradient(modes), 0, atol=1e-5)
    assert np.all(log_densities >= model.score_samples(X[:5]))


@pytest.mark.filterwarnings("ignore:.*standard deviations from:sklvm.exceptions.FitWarning")
def test_a_learned_sigma_stays_above_its_floor():
    X = 1e-4 * np.random.default_rng(0).standard_normal((200, 2))
    model = small(sigma="learn", sigma_floor=0.01, partition="none").fit(X)
    assert model.sigma_ > 0.01


def test_without_hidden_layers_it_is_a_restricted_boltzmann_machine(X):
    model = small(hidden_layer_sizes=()).fit(X)
    inputs = X @ model.components_.T + model.intercepts_[0]
    energy = 0.5 * (X**2).sum(axis=1) - X @ model.intercept_visible_
    energy -= np.logaddexp(0, inputs).sum(axis=1)
    np.testing.assert_allclose(model.energy(X), energy)
    np.testing.assert_allclose(model.transform(X), 1 / (1 + np.exp(-inputs)))


def test_grid_search_over_components_and_objectives(X):
    search = GridSearchCV(
        small(max_iter=2),
        {"n_components": [2, 4], "objective": ["score_matching", "nce", ScoreMatching()]},
        cv=2,
        error_score="raise",
    ).fit(X)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


def test_nested_parameters_expand_a_short_name():
    model = DeepEnergyModel(objective="nce", max_iter=20, sigma=1.0, optimizer="adam").set_params(
        objective__noise_ratio=3, optimizer__learning_rate=0.1
    )
    assert model.objective.noise_ratio == 3
    assert model.optimizer.learning_rate == 0.1
    assert clone(model).get_params()["objective__noise_ratio"] == 3


def test_a_pipeline_with_whitening_scores_anomalies():
    rng = np.random.default_rng(0)
    normal = two_moons_like(500, rng) @ [[2.0, 1.0], [0.0, 0.5]]
    odd = rng.uniform(-8, 8, size=(100, 2))
    pipeline = make_pipeline(ZCAWhitener(), small()).fit(normal)
    scores = pipeline.score_samples(np.vstack([normal, odd]))
    assert roc_auc_score(np.repeat([1, 0], [500, 100]), scores) > 0.85


def test_callbacks_see_every_epoch_and_a_fitted_model(X):
    monitor = ScoringMonitor(scoring=lambda estimator, X, y: {"energy": estimator.energy(X).mean()})
    small(max_iter=3).set_callbacks(monitor).fit(X, np.zeros(len(X)))
    assert len(monitor.get_logs().data) >= 3


def test_verbose_prints_a_line_an_epoch(X, capsys):
    small(max_iter=2, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("[DeepEnergyModel] epoch 2/2: objective")


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"n_components": 0}, "n_components"),
        ({"hidden_layer_sizes": (3, -1)}, "hidden_layer_sizes"),
        ({"sigma": -1.0}, "sigma"),
        ({"objective": "mle"}, "objective"),
        ({"objective": DenoisingScoreMatching(-0.1)}, "noise_level"),
        ({"optimizer": Adam(learning_rate=0)}, "learning_rate"),
        ({"partition": "exact"}, "partition"),
        ({"partition": AnnealedImportanceSampling(n_chains=0)}, "n_chains"),
        ({"early_stopping": True, "validation_fraction": 1e-4}, "validation_fraction"),
    ],
    ids=lambda value: None,
)
def test_bad_parameters_are_named_before_any_work(X, parameters, name):
    model = small(**parameters)
    with pytest.raises(ValueError, match=name):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.energy(X)


def test_an_unfitted_model_says_so(X):
    for method in ("transform", "score_samples", "energy", "gradient", "modes"):
        with pytest.raises(NotFittedError):
            getattr(
                DeepEnergyModel(
                    max_iter=20, objective="score_matching", sigma=1.0, optimizer="adam"
                ),
                method,
            )(X)
