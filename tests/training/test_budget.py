"""How long a fit goes on where nobody says: enough steps on few rows, no waste on many."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm import DeepEnergyModel, GaussianRBM
from sklvm.optimizers import SGD, Adam, CosineDecay, InverseTimeDecay
from sklvm.training import Budget
from sklvm.training._plateau import Plateau, recent_gain


@pytest.mark.parametrize("n_rows", [1, 50, 150, 1000, 10_000, 100_000, 1_000_000, 5_000_000])
def test_the_automatic_budget_counts_steps_and_passes(n_rows):
    budget = Budget.auto(n_rows, batch_size=100)
    n_batches = -(-n_rows // 100)
    n_steps = budget.n_planned_passes * n_batches
    epoch = budget.n_passes * n_batches
    assert n_steps >= 2000
    assert epoch >= 25
    assert n_steps <= max(20_000, n_batches) + epoch
    if 10_000 <= n_rows <= 100_000:
        assert budget.n_planned_passes == 20
    assert budget.ends_at_plateau


def falling(n, rate, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return 5 + 3 * np.exp(-rate * np.arange(n)) + noise * rng.standard_normal(n)


def epochs_until_rest(values, min_epochs=10):
    plateau = Plateau(min_epochs)
    records = [{"objective": value} for value in values]
    for n in range(1, len(records) + 1):
        if plateau.is_reached(records[:n]):
            return n
    return None


def test_the_gain_of_a_straight_line_is_known():
    gain, noise, total = recent_gain(10 - 0.5 * np.arange(9))
    assert_allclose([gain, total], [1.5, 10 - (7 + 6.5 + 6) / 3 + 0.0])
    assert_allclose(noise, 0.5 / np.sqrt(3))


@pytest.mark.parametrize(
    ("values", "earliest", "latest"),
    [
        # Still falling as fast as ever.
        (10 - 0.5 * np.arange(60), None, None),
        # At rest by the 30th epoch, and twice that many tell.
        (falling(120, 0.2), 25, 90),
        (falling(120, 0.2, noise=0.02), 20, 90),
        # Nothing to learn, or rising: no sooner than it may speak.
        (np.full(40, 3.0), 10, 10),
        (3 + 0.1 * np.arange(40), 10, 10),
    ],
)
def test_a_plateau_is_told_from_a_slope(values, earliest, latest):
    n = epochs_until_rest(values)
    assert n == earliest if earliest is None else earliest <= n <= latest


def test_a_criterion_without_a_value_has_no_plateau():
    assert not Plateau(6).is_reached([{"gradient_norm": 1.0}] * 50)


def test_held_out_rows_go_before_training_rows():
    values = falling(60, 0.05)
    both = [{"objective": 3.0, "validation_objective": value} for value in values]
    assert not Plateau(6).is_reached(both[:20])


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_a_hastened_schedule_goes_on_from_where_it_is_and_ends_in_time(schedule):
    optimizer = SGD(1.0, schedule=schedule)
    theta, gradient = np.zeros(1), np.ones(1)
    state = optimizer.init(theta, n_planned_steps=100)
    moves = []
    for step in range(60):
        if step == 40:
            optimizer.hasten(state, 20)
        moves.append(float(np.sqrt(optimizer.step(theta, gradient, state))))
    whole = [state["schedule"].factor(step, 100) for step in range(100)]
    assert_allclose(moves[:41], whole[:41])
    # The 60 steps that were left are gone through in 20, three at a time.
    assert_allclose(moves[40:], whole[40::3])
    assert optimizer.step(theta, gradient, state) == 0


@pytest.mark.parametrize(
    "schedule", ["constant", InverseTimeDecay(10), CosineDecay(decay_steps=90)], ids=str
)
def test_a_schedule_of_its_own_does_not_hasten(schedule):
    optimizer = SGD(1.0, schedule=schedule)
    state = optimizer.init(np.zeros(1), n_planned_steps=100)
    for _ in range(5):
        optimizer.step(np.zeros(1), np.ones(1), state)
    expected = state["schedule"].factor(5, 100)
    optimizer.hasten(state, 3)
    assert_allclose(np.sqrt(optimizer.step(np.zeros(1), np.ones(1), state)), expected)


def test_a_fit_is_cut_short_at_a_plateau_and_says_so(a_training, train, gaussian_data, a_monitor):
    X = gaussian_data()
    budget = Budget(200, n_passes=2, ends_at_plateau=True)
    training = a_training(optimizer=Adam(0.05, schedule="cosine"))
    monitor = train(training, X, budget=budget, batch_size=30, monitor=a_monitor())
    assert monitor.is_settled
    assert 60 < len(monitor.records) < 120
    assert training.n_steps == 2 * len(monitor.records)
    whole = a_training(optimizer=Adam(0.05, schedule="cosine"))
    train(whole, X, max_iter=400, batch_size=30)
    assert_allclose(training.theta, whole.theta, atol=1e-2)


def test_an_epoch_of_several_passes_is_those_passes(a_training, train, gaussian_data):
    X = gaussian_data()
    grouped, single = a_training(), a_training()
    grouped_monitor = train(grouped, X, budget=Budget(2, n_passes=3), shuffle=True)
    single_monitor = train(single, X, max_iter=6, shuffle=True)
    assert_array_equal(grouped.theta, single.theta)
    objective = np.array([record["objective"] for record in single_monitor.records])
    assert_allclose(
        [record["objective"] for record in grouped_monitor.records],
        objective.reshape(2, 3).mean(axis=1),
    )


def test_an_estimator_counts_its_epochs_by_the_budget(rng):
    X = rng.standard_normal((60, 2)).astype(np.float32)
    model = GaussianRBM(2, random_state=0).fit(X)
    assert model.n_iter_ == len(model.history_["gradient_norm"]) == 80
    assert model._training.n_steps == 2000


def test_growing_layers_come_before_any_plateau(rng):
    X = rng.standard_normal((40, 2)).astype(np.float32)
    model = DeepEnergyModel(
        2,
        hidden_layer_sizes=(3, 3),
        growth="layerwise",
        objective="denoising_score_matching",
        partition="none",
        random_state=0,
    ).fit(X)
    assert model.history_["n_layers"][-1] == 2
    assert model._training.n_steps >= 1000


def test_lbfgs_runs_until_it_has_converged(rng):
    X = rng.standard_normal((40, 2))
    model = GaussianRBM(2, objective="score_matching", optimizer="lbfgs", random_state=0).fit(X)
    assert model._training.converged
