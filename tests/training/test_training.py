"""The loop: batches, weights, the full-batch optimiser, divergence, pickling."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy
from sklvm.exceptions import DivergenceError
from sklvm.layouts import ParameterLayout
from sklvm.objectives import (
    OBJECTIVES,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
    Objective,
    PersistentContrastiveDivergence,
    ScoreMatching,
)
from sklvm.optimizers import LBFGS, SGD, Adam
from sklvm.testing import FlatObjective
from sklvm.training import (
    Monitor,
    Training,
    check_compatible,
    run_epochs,
    run_stream,
    split_rows,
)


def callbacks(end_epoch=lambda: False):
    return SimpleNamespace(begin_epoch=lambda: None, end_epoch=end_epoch, end=lambda: None)


class Recorder(Objective):
    """Keeps the batches that it is given; its criterion is ½‖θ‖²."""

    def __init__(self):
        self.batches = []

    def step(self, energy, theta, X, weights, state, rng):
        self.batches.append((X.copy(), weights.copy()))
        return 0.5 * float(theta.vector @ theta.vector), theta.like(theta.energy.copy()), state


def a_training(objective=None, optimizer=None, X=None, seed=0, energy=None):
    X = gaussian_data() if X is None else X
    energy = GaussianEnergy(X.shape[1]) if energy is None else energy
    weights = np.ones(len(X), dtype=X.dtype)
    objective = ScoreMatching() if objective is None else objective
    optimizer = SGD(0.05) if optimizer is None else optimizer
    return Training(energy, objective, optimizer, X, weights, np.random.default_rng(seed))


def gaussian_data(n=23, dtype=np.float64):
    rng = np.random.default_rng(7)
    return (rng.standard_normal((n, 2)) @ [[1.0, 0.3], [0.0, 0.7]]).astype(dtype)


def a_monitor(tol=0.0, patience=5):
    return Monitor(tol=tol, patience=patience, verbose=0, owner="Model", max_iter=10)


def train(training, X, weights=None, monitor=None, listening=None, **keywords):
    settings = {"max_iter": 3, "batch_size": 5, "shuffle": False, "validation_rows": None}
    settings |= {"rows": np.arange(len(X)), **keywords}
    weights = np.ones(len(X), dtype=X.dtype) if weights is None else weights
    monitor = a_monitor() if monitor is None else monitor
    run_epochs(training, X, weights, monitor, listening or callbacks(), **settings)
    return monitor


# -- batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_epoch_visits_every_row_once_and_the_last_batch_may_be_ragged(shuffle):
    X, objective = gaussian_data(23), Recorder()
    train(a_training(objective), X, shuffle=shuffle)
    sizes = [len(rows) for rows, _ in objective.batches]
    assert sizes == [5, 5, 5, 5, 3] * 3
    for epoch in range(3):
        rows = np.vstack([rows for rows, _ in objective.batches[5 * epoch : 5 * epoch + 5]])
        if not shuffle:
            assert_array_equal(rows, X)
        assert_array_equal(np.sort(rows, axis=0), np.sort(X, axis=0))
    orders = [objective.batches[5 * epoch][0] for epoch in range(3)]
    assert np.array_equal(orders[0], orders[1]) != shuffle


def test_the_weights_of_a_batch_sum_to_one_and_follow_their_rows():
    X, objective = gaussian_data(23), Recorder()
    X[:, 0] = np.arange(1.0, 24.0)
    train(a_training(objective), X, weights=X[:, 0].copy(), shuffle=True)
    for rows, weights in objective.batches:
        assert_allclose(weights, rows[:, 0] / rows[:, 0].sum())


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_weights_count_between_batches_too(batch_size):
    # For a vanishing rate an epoch is one long step along Σᵢ wᵢ ∇J(xᵢ), however rows are grouped.
    X, rate = gaussian_data(24), 1e-8
    weights = 1.0 + np.arange(24) // 4
    training = a_training(ScoreMatching(), SGD(rate), X)
    start = training.theta.copy()
    train(training, X, weights=weights, max_iter=1, batch_size=batch_size)
    _, gradient, _ = FlatObjective(ScoreMatching()).step(
        training.energy, start, X, weights / weights.sum(), None, None
    )
    moved = (start - training.theta) / (rate * 24 / batch_size)
    assert_allclose(moved, gradient, rtol=1e-4, atol=1e-4)


def test_a_batch_larger_than_the_data_is_all_of_them():
    X, objective = gaussian_data(23), Recorder()
    train(a_training(objective), X, batch_size=1000, max_iter=2)
    assert [len(rows) for rows, _ in objective.batches] == [23, 23]


def test_held_out_rows_are_not_trained_on():
    X, objective = gaussian_data(20), Recorder()
    rows, validation_rows = split_rows(20, 0.25, np.random.default_rng(0))
    assert len(validation_rows) == 5
    assert_array_equal(np.sort(np.concatenate([rows, validation_rows])), np.arange(20))
    train(a_training(objective), X, rows=rows, validation_rows=validation_rows, max_iter=1)
    trained_on = np.vstack([rows for rows, _ in objective.batches[:3]])
    assert_array_equal(trained_on, X[rows])


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_a_fraction_that_leaves_nothing_on_one_side_is_an_error(fraction):
    with pytest.raises(ValueError, match=f"validation_fraction={fraction} of 10 samples"):
        split_rows(10, fraction, np.random.default_rng(0))
    assert split_rows(10, 0, np.random.default_rng(0))[1] is None


# -- fit and partial_fit --------------------------------------------------------------------------

CASES = {
    "score matching": (ScoreMatching(), GaussianEnergy(2)),
    "denoising": (DenoisingScoreMatching(0.5), DeepEnergy(2, 3, (4,), sigma="learn")),
    "noise contrastive": (NoiseContrastiveEstimation(), GaussianEnergy(2)),
    "cd": (ContrastiveDivergence(), BernoulliRBMEnergy(2, 3)),
    "pcd": (PersistentContrastiveDivergence(n_chains=10), BernoulliRBMEnergy(2, 3)),
}


@pytest.mark.parametrize(("objective", "energy"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("optimizer", [SGD(0.01, momentum=0.9), Adam(0.01)])
def test_epochs_without_shuffling_are_passes_of_the_stream(objective, energy, optimizer):
    X = gaussian_data()
    if isinstance(energy, BernoulliRBMEnergy):
        X = (X > 0).astype(np.float64)
    by_epochs, by_stream = (a_training(objective, optimizer, X, energy=energy) for _ in range(2))
    train(by_epochs, X, max_iter=4)
    for _ in range(4):
        run_stream(by_stream, X, np.ones(len(X)), batch_size=5)
    assert_array_equal(by_epochs.theta, by_stream.theta)
    assert by_epochs.n_steps == by_stream.n_steps == 20


@pytest.mark.parametrize(("objective", "energy"), CASES.values(), ids=CASES.keys())
def test_training_goes_on_from_a_pickle_as_if_nothing_had_happened(objective, energy):
    X = gaussian_data()
    if isinstance(energy, BernoulliRBMEnergy):
        X = (X > 0).astype(np.float64)
    training = a_training(objective, Adam(0.01), X, energy=energy)
    train(training, X, shuffle=True)
    thawed = pickle.loads(pickle.dumps(training))
    train(training, X, shuffle=True)
    train(thawed, X, shuffle=True)
    assert_array_equal(thawed.theta, training.theta)


def test_the_means_of_an_epoch_are_over_rows():
    X = gaussian_data(23)
    training = a_training(ScoreMatching(), SGD(1e-12))
    monitor = train(training, X, max_iter=1)
    whole, _, _ = FlatObjective(ScoreMatching()).step(
        training.energy, training.theta, X, np.full(23, 1 / 23), None, None
    )
    assert_allclose(monitor.history()["objective"], whole, rtol=1e-6)


def test_evaluation_has_the_same_noise_every_time_and_leaves_no_trace():
    X = gaussian_data()
    training = a_training(NoiseContrastiveEstimation(), Adam())
    before = pickle.dumps((training.theta, training.rng.bit_generator.state))
    values = {training.evaluate(X, np.ones(len(X)), 5) for _ in range(3)}
    assert len(values) == 1
    assert pickle.dumps((training.theta, training.rng.bit_generator.state)) == before


def test_evaluation_works_on_a_copy_of_the_state():
    class Counts(Recorder):
        def init(self, energy, theta, X, counts, rng):
            return {"steps": 0}

        def step(self, energy, theta, X, weights, state, rng):
            state["steps"] += 1
            return 0.0, theta.like(np.zeros_like(theta.energy)), state

    training = a_training(Counts())
    training.evaluate(gaussian_data(), np.ones(23), 5)
    assert training.objective_state == {"steps": 0}
    train(training, gaussian_data(), max_iter=2)
    assert training.objective_state == {"steps": 10}


def test_it_starts_where_the_energy_and_the_objective_say():
    class Starts(Recorder):
        def own_layout(self, energy):
            return ParameterLayout({"own": (2,)})

        def init(self, energy, theta, X, counts, rng):
            assert_array_equal(counts, np.ones(len(X)))
            theta.own["own"][:] = 7.0, 8.0

    training = a_training(Starts())
    expected = training.energy.init_parameters(gaussian_data(), None)
    assert_array_equal(training.energy_theta, expected)
    assert_array_equal(training.theta, [*expected, 7.0, 8.0])
    assert_array_equal(training.layout.views(training.theta)["own"], [7.0, 8.0])


def test_what_is_kept_can_be_returned_to_again_and_again():
    X = gaussian_data()
    training = a_training(optimizer=SGD(0.01, momentum=0.9))
    train(training, X)
    kept = training.theta.copy()
    for _ in range(3):
        training.step(X, np.full(23, 1 / 23))
        assert np.any(training.theta != kept)
        training.restore()
        assert_array_equal(training.theta, kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [SGD(), Adam(), LBFGS()])
def test_the_parameters_keep_the_dtype_of_the_data(optimizer, dtype):
    X = gaussian_data(dtype=dtype)
    training = a_training(ScoreMatching(), optimizer, X)
    train(training, X)
    assert training.theta.dtype == dtype


# -- full batch -----------------------------------------------------------------------------------


def test_lbfgs_finds_the_minimum_over_blocks_of_rows():
    X = gaussian_data(2500)
    training = a_training(ScoreMatching(), LBFGS(gradient_tol=1e-9, value_tol=0), X)
    weights = 1.0 + np.arange(2500) % 2
    monitor = train(training, X, weights=weights, batch_size=100, max_iter=200)
    covariance = np.cov(X.T, aweights=weights, ddof=0)
    precision = training.energy.precision(training.energy_theta)
    assert_allclose(precision, np.linalg.inv(covariance), rtol=1e-6)
    assert training.converged
    assert np.all(np.diff(monitor.history()["objective"]) <= 0)
    assert training.n_steps == len(monitor.records)


def test_lbfgs_at_a_minimum_takes_one_epoch_to_see_it():
    X = gaussian_data()
    training = a_training(ScoreMatching(), LBFGS(), X)
    train(training, X, max_iter=200)
    settled = training.theta.copy()
    monitor = train(training, X, max_iter=200)
    assert len(monitor.records) <= 2
    assert_allclose(training.theta, settled, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_lbfgs_refuses_an_objective_that_draws_random_numbers(name):
    objective = OBJECTIVES[name]()
    if objective.deterministic:
        check_compatible(objective, LBFGS())
    else:
        with pytest.raises(ValueError, match=rf"LBFGS needs .* {type(objective).__name__} draws"):
            check_compatible(objective, LBFGS())
    check_compatible(objective, Adam())


# -- divergence -----------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [SGD(1e6), SGD(1e6, momentum=0.9), Adam(1e6)])
@pytest.mark.parametrize(("objective", "energy"), CASES.values(), ids=CASES.keys())
def test_a_learning_rate_of_a_million_leaves_the_last_finite_parameters(
    objective, energy, optimizer
):
    X = gaussian_data()
    if isinstance(energy, BernoulliRBMEnergy):
        X = (X > 0).astype(np.float64)
    training = a_training(objective, optimizer, X, energy=energy)
    start = training.theta.copy()
    with pytest.raises(DivergenceError, match=r"diverged .* smaller learning rate"):
        train(training, X, max_iter=50)
    assert np.all(np.isfinite(training.theta))
    assert np.linalg.norm(training.theta) < 1e9
    assert training.theta.shape == start.shape


def test_a_divergence_returns_to_the_last_epoch_that_ended_well():
    class ExplodesLater(Recorder):
        def step(self, energy, theta, X, weights, state, rng):
            value, gradient, state = super().step(energy, theta, X, weights, state, rng)
            gradient.vector *= np.nan if len(self.batches) > 12 else 1
            return value, gradient, state

    X = gaussian_data(25)
    training, reference = a_training(ExplodesLater()), a_training(Recorder())
    with pytest.raises(DivergenceError, match="after 12 steps: the criterion or its gradient"):
        train(training, X, max_iter=5)
    train(reference, X, max_iter=2)
    assert_array_equal(training.theta, reference.theta)


def test_lbfgs_that_leaves_the_finite_numbers_keeps_the_last_finite_parameters():
    class Bottomless(Recorder):
        deterministic = True

        def step(self, energy, theta, X, weights, state, rng):
            with np.errstate(all="ignore"):
                grown = np.exp(theta.energy)
                return -float(grown.sum()), theta.like(-grown), state

    X = gaussian_data()
    training = a_training(Bottomless(), LBFGS())
    with np.errstate(all="ignore"):
        try:
            train(training, X, max_iter=1000)
        except DivergenceError:
            pass
    assert np.all(np.isfinite(training.theta))


# -- stopping -------------------------------------------------------------------------------------


def test_a_callback_may_stop_training():
    for optimizer in (SGD(), LBFGS()):
        listening = callbacks(end_epoch=iter([False, True]).__next__)
        training = a_training(ScoreMatching(), optimizer)
        monitor = train(training, gaussian_data(), listening=listening, max_iter=50)
        assert len(monitor.records) == 2


def test_the_parameters_that_were_best_on_the_held_out_rows_come_back():
    class Wanders(Recorder):
        """θ goes through 0 at a constant pace, and the criterion is least there."""

        def step(self, energy, theta, X, weights, state, rng):
            return float(theta.energy @ theta.energy), theta.like(np.ones_like(theta.energy)), state

    X = gaussian_data(20)
    training = a_training(Wanders(), SGD(1.0))
    training.theta[:] = 3.0
    monitor = train(
        training,
        X,
        monitor=a_monitor(patience=4),
        rows=np.arange(5),
        validation_rows=np.arange(5, 20),
        max_iter=50,
    )
    assert_array_equal(training.theta, 0)
    assert monitor.converged
    assert len(monitor.records) == 7
    assert_allclose(monitor.history()["validation_objective"][:4], 5 * np.array([4, 1, 0, 1]))


def test_the_schedule_of_a_fit_ends_with_it():
    X, objective = gaussian_data(25), Recorder()
    training = a_training(objective, SGD(1.0, schedule="linear"))
    training.theta[:] = 1.0
    train(training, X, max_iter=2)
    # θ ← θ (1 − η), η falling from 1 to 0.1 over ten steps: the first step ends it all.
    assert_array_equal(training.theta, 0)
    assert training.optimizer_state["n_planned_steps"] == 10
    run_stream(training, X, np.ones(25), batch_size=5)
    assert training.optimizer_state["n_planned_steps"] is None


def test_all_rows_count_alike_where_the_last_batch_is_ragged():
    # The optimiser's steps add up to the gradient of the mean over all rows.
    X, weights = gaussian_data(23), np.ones(23)
    for batch_size in (1, 5, 22, 23):
        training = a_training(optimizer=SGD(1e-9), X=X)
        before = training.theta.copy()
        _, gradient, _ = FlatObjective(training.objective).step(
            training.energy, before, X, weights / 23, None, training.rng
        )
        run_stream(training, X, weights, batch_size=batch_size)
        moved = (before - training.theta) / (1e-9 * 23 / batch_size)
        assert_allclose(moved, gradient, rtol=1e-4, atol=1e-5)
