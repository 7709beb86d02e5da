"""When training stops, and what is remembered of it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklvm.training import Monitor


def monitor(tol=0.0, patience=2, verbose=0):
    return Monitor(tol=tol, patience=patience, verbose=verbose, owner="Model", max_iter=9)


def epochs_until_stop(monitor, name, values):
    for n_epochs, value in enumerate(values, start=1):
        monitor.record(**{name: value})
        if monitor.converged:
            return n_epochs
    return None


@pytest.mark.parametrize(
    ("values", "tol", "patience", "expected"),
    [
        ([5, 4, 3, 2, 1, 0], 0.5, 1, None),
        ([5, 4, 4, 4, 4], 0.5, 2, 4),
        ([5, 4, 4, 3, 3, 3], 0.5, 2, 6),
        # Steps smaller than tol are no improvement, however far they lead.
        ([5, 4.9, 4.8, 4.7, 4.6, 4.5], 0.5, 3, 4),
        ([5, 6, 7], 0.5, 1, 2),
        ([5, 5, 5, 5], 0.0, 1, None),
    ],
)
def test_the_rule_stops_after_patience_epochs_without_improvement_by_tol(
    values, tol, patience, expected
):
    assert epochs_until_stop(monitor(tol, patience), "objective", values) == expected


def test_the_held_out_criterion_goes_before_that_of_training():
    watching = monitor(tol=0.0, patience=2)
    for epoch, validation in enumerate([3.0, 2.0, 2.5, 2.2]):
        watching.record(objective=-float(epoch), validation_objective=validation)
        assert watching.is_best == (epoch in (0, 1))
    assert watching.converged


def test_without_a_criterion_there_is_no_rule():
    watching = monitor(tol=1.0, patience=1)
    assert epochs_until_stop(watching, "gradient_norm", [1.0] * 5) is None


def test_history_has_one_value_an_epoch_and_nan_where_there_was_none():
    watching = monitor()
    watching.record(objective=2.0, gradient_norm=float("nan"), validation_objective=None)
    watching.record(objective=1.0, gradient_norm=0.5)
    history = watching.history()
    assert list(history) == ["objective", "gradient_norm"]
    assert_array_equal(history["objective"], [2.0, 1.0])
    assert_array_equal(history["gradient_norm"], [np.nan, 0.5])
    assert monitor().history() == {}


def test_verbose_prints_a_line_an_epoch(capsys):
    watching = monitor(verbose=1)
    watching.record(objective=1.25)
    watching.record(objective=1.125)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("[Model] epoch 1/9: objective 1.25")
    monitor().record(objective=1.0)
    assert capsys.readouterr().out == ""
