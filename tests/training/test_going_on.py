"""Where training starts, and that epochs, streams and pickles go on from each other."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklvm.layouts import ParameterLayout
from sklvm.objectives import ScoreMatching
from sklvm.optimizers import LBFGS, SGD, Adam
from sklvm.training import run_stream


def test_it_starts_where_the_energy_and_the_objective_say(gaussian_data, a_training, Recorder):
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


@pytest.mark.parametrize("optimizer", [SGD(0.01, momentum=0.9), Adam(0.01)])
def test_epochs_without_shuffling_are_passes_of_the_stream(case, optimizer, a_training, train):
    objective, energy, X = case
    by_epochs, by_stream = (a_training(objective, optimizer, X, energy=energy) for _ in range(2))
    train(by_epochs, X, max_iter=4)
    for _ in range(4):
        run_stream(by_stream, X, np.ones(len(X)), batch_size=5)
    assert_array_equal(by_epochs.theta, by_stream.theta)
    assert by_epochs.n_steps == by_stream.n_steps == 20


def test_training_goes_on_from_a_pickle_as_if_nothing_had_happened(case, a_training, train):
    objective, energy, X = case
    training = a_training(objective, Adam(0.01), X, energy=energy)
    train(training, X, shuffle=True)
    thawed = pickle.loads(pickle.dumps(training))
    train(training, X, shuffle=True)
    train(thawed, X, shuffle=True)
    assert_array_equal(thawed.theta, training.theta)


def test_what_is_kept_can_be_returned_to_again_and_again(gaussian_data, a_training, train):
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
def test_the_parameters_keep_the_dtype_of_the_data(
    optimizer, dtype, gaussian_data, a_training, train
):
    X = gaussian_data(dtype=dtype)
    training = a_training(ScoreMatching(), optimizer, X)
    train(training, X)
    assert training.theta.dtype == dtype
