"""The criterion on held-out rows, and when training stops."""

import pickle

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.objectives import NoiseContrastiveEstimation, ScoreMatching
from sklvm.optimizers import LBFGS, SGD, Adam
from sklvm.training import run_stream


def test_evaluation_has_the_same_noise_every_time_and_leaves_no_trace(gaussian_data, a_training):
    X = gaussian_data()
    training = a_training(NoiseContrastiveEstimation(), Adam())
    before = pickle.dumps((training.theta, training.rng.bit_generator.state))
    values = {training.evaluate(X, np.ones(len(X)), 5) for _ in range(3)}
    assert len(values) == 1
    assert pickle.dumps((training.theta, training.rng.bit_generator.state)) == before


def test_evaluation_works_on_a_copy_of_the_state(gaussian_data, a_training, train, Recorder):
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


def test_a_callback_may_stop_training(gaussian_data, a_training, train, callbacks):
    for optimizer in (SGD(), LBFGS()):
        listening = callbacks(end_epoch=iter([False, True]).__next__)
        training = a_training(ScoreMatching(), optimizer)
        monitor = train(training, gaussian_data(), listening=listening, max_iter=50)
        assert len(monitor.records) == 2


def test_the_parameters_that_were_best_on_the_held_out_rows_come_back(
    gaussian_data, a_training, a_monitor, train, Recorder
):
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


def test_the_schedule_of_a_fit_ends_with_it(gaussian_data, a_training, train, Recorder):
    X, objective = gaussian_data(25), Recorder()
    training = a_training(objective, SGD(1.0, schedule="linear"))
    training.theta[:] = 1.0
    train(training, X, max_iter=2)
    # θ ← θ (1 − η), η falling from 1 to 0.1 over ten steps: the first step ends it all.
    assert_array_equal(training.theta, 0)
    assert training.optimizer_state["n_planned_steps"] == 10
    run_stream(training, X, np.ones(25), batch_size=5)
    assert training.optimizer_state["n_planned_steps"] is None
