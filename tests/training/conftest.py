from types import SimpleNamespace

import numpy as np
import pytest

from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy
from sklvm.objectives import (
    ContrastiveDivergence,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
    Objective,
    PersistentContrastiveDivergence,
    ScoreMatching,
)
from sklvm.optimizers import SGD
from sklvm.training import Budget, Monitor, Training, run_epochs


class _Recorder(Objective):
    """Keeps the batches that it is given; its criterion is ½‖θ‖²."""

    def __init__(self):
        self.batches = []

    def step(self, energy, theta, X, weights, state, rng):
        self.batches.append((X.copy(), weights.copy()))
        return 0.5 * float(theta.vector @ theta.vector), theta.like(theta.energy.copy()), state


@pytest.fixture
def Recorder():
    return _Recorder


def _gaussian_data(n=23, dtype=np.float64):
    rng = np.random.default_rng(7)
    return (rng.standard_normal((n, 2)) @ [[1.0, 0.3], [0.0, 0.7]]).astype(dtype)


@pytest.fixture
def gaussian_data():
    return _gaussian_data


@pytest.fixture
def a_training():
    """A training by score matching and plain descent, where nothing else is asked for."""

    def a_training(objective=None, optimizer=None, X=None, seed=0, energy=None):
        X = _gaussian_data() if X is None else X
        energy = GaussianEnergy(X.shape[1]) if energy is None else energy
        weights = np.ones(len(X), dtype=X.dtype)
        objective = ScoreMatching() if objective is None else objective
        optimizer = SGD(0.05) if optimizer is None else optimizer
        return Training(energy, objective, optimizer, X, weights, np.random.default_rng(seed))

    return a_training


CASES = {
    "score matching": (ScoreMatching(), GaussianEnergy(2)),
    "denoising": (DenoisingScoreMatching(0.5), DeepEnergy(2, 3, (4,), sigma="learn")),
    "noise contrastive": (NoiseContrastiveEstimation(), GaussianEnergy(2)),
    "cd": (ContrastiveDivergence(), BernoulliRBMEnergy(2, 3)),
    "pcd": (PersistentContrastiveDivergence(n_chains=10), BernoulliRBMEnergy(2, 3)),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request):
    """An objective, an energy that it fits, and rows for them."""
    objective, energy = request.param
    X = _gaussian_data()
    if isinstance(energy, BernoulliRBMEnergy):
        X = (X > 0).astype(np.float64)
    return objective, energy, X


def _a_monitor(tol=0.0, patience=5):
    return Monitor(tol=tol, patience=patience, verbose=0, owner="Model", max_iter=10)


@pytest.fixture
def a_monitor():
    return _a_monitor


def _callbacks(end_epoch=lambda: False):
    return SimpleNamespace(begin_epoch=lambda: None, end_epoch=end_epoch, end=lambda: None)


@pytest.fixture
def callbacks():
    return _callbacks


@pytest.fixture
def train():
    """Three epochs of batches of five rows in their order, where nothing else is asked for."""

    def train(
        training, X, weights=None, monitor=None, listening=None, max_iter=3, budget=None, **options
    ):
        settings = {
            "budget": budget or Budget(max_iter),
            "batch_size": 5,
            "shuffle": False,
            "validation_rows": None,
        }
        settings |= {"rows": np.arange(len(X)), **options}
        weights = np.ones(len(X), dtype=X.dtype) if weights is None else weights
        monitor = _a_monitor() if monitor is None else monitor
        run_epochs(training, X, weights, monitor, listening or _callbacks(), **settings)
        return monitor

    return train
