"""How rows come to a step: batches, their weights, held-out rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.objectives import ScoreMatching
from sklvm.optimizers import SGD
from sklvm.testing import FlatObjective
from sklvm.training import run_stream, split_rows


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_epoch_visits_every_row_once_and_the_last_batch_may_be_ragged(
    shuffle, gaussian_data, a_training, train, Recorder
):
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


def test_the_weights_of_a_batch_sum_to_one_and_follow_their_rows(
    gaussian_data, a_training, train, Recorder
):
    X, objective = gaussian_data(23), Recorder()
    X[:, 0] = np.arange(1.0, 24.0)
    train(a_training(objective), X, weights=X[:, 0].copy(), shuffle=True)
    for rows, weights in objective.batches:
        assert_allclose(weights, rows[:, 0] / rows[:, 0].sum())


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_weights_count_between_batches_too(batch_size, gaussian_data, a_training, train):
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


def test_a_batch_larger_than_the_data_is_all_of_them(gaussian_data, a_training, train, Recorder):
    X, objective = gaussian_data(23), Recorder()
    train(a_training(objective), X, batch_size=1000, max_iter=2)
    assert [len(rows) for rows, _ in objective.batches] == [23, 23]


def test_all_rows_count_alike_where_the_last_batch_is_ragged(gaussian_data, a_training):
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


def test_held_out_rows_are_not_trained_on(gaussian_data, a_training, train, Recorder):
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


def test_the_means_of_an_epoch_are_over_rows(gaussian_data, a_training, train):
    X = gaussian_data(23)
    training = a_training(ScoreMatching(), SGD(1e-12))
    monitor = train(training, X, max_iter=1)
    whole, _, _ = FlatObjective(ScoreMatching()).step(
        training.energy, training.theta, X, np.full(23, 1 / 23), None, None
    )
    assert_allclose(monitor.history()["objective"], whole, rtol=1e-6)
