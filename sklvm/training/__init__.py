"""Iterative fits: one loop of epochs, and the learners that it drives."""

from sklvm.training._budget import AUTO_ITERATIONS, Budget
from sklvm.training._callbacks import EpochCallbacks, NoCallbacks
from sklvm.training._compatibility import check_compatible, check_complete
from sklvm.training._energy_gap import EnergyGap
from sklvm.training._epochs import Learner, run_epochs, run_stream, split_rows
from sklvm.training._expectation import Expectation, Restarts
from sklvm.training._monitor import Monitor
from sklvm.training._plateau import recent_gain
from sklvm.training._statistics_training import StatisticsTraining
from sklvm.training._training import Training

__all__ = [
    "AUTO_ITERATIONS",
    "Budget",
    "EnergyGap",
    "EpochCallbacks",
    "Expectation",
    "Learner",
    "Monitor",
    "NoCallbacks",
    "Restarts",
    "StatisticsTraining",
    "Training",
    "check_compatible",
    "check_complete",
    "recent_gain",
    "run_epochs",
    "run_stream",
    "split_rows",
]
