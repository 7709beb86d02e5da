"""Weight decay, and a target for how often hidden units are on."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import (
    BernoulliRBMEnergy,
    BinaryFactorEnergy,
    DecoderEnergy,
    DeepEnergy,
    GaussianEnergy,
    GaussianLikelihood,
    GaussianRBMEnergy,
)
from sklvm.objectives import ScoreMatching
from sklvm.optimizers import LBFGS, SGD
from sklvm.testing import FlatObjective, assert_is_gradient
from sklvm.training import Budget, Monitor, Training, check_compatible, run_epochs
from sklvm.training.links import (
    Centring,
    CompletedGaps,
    DrawnBits,
    Projection,
    SparsityTarget,
    WeightDecay,
)

ENERGIES = {
    "Bernoulli RBM": (BernoulliRBMEnergy(3, 2), {"weights"}),
    "Gaussian RBM": (GaussianRBMEnergy(3, 2), {"weights"}),
    "deep": (DeepEnergy(3, 2, (4,), sigma="learn"), {"coefs_0", "coefs_1"}),
    "factors": (BinaryFactorEnergy(3, 2, tied=False), {"weights", "encoder_weights"}),
    "decoder": (DecoderEnergy(GaussianLikelihood(3), 2, (4,)), {"coefs_0", "coefs_1"}),
    "Gaussian": (GaussianEnergy(3), set()),
}


@pytest.mark.parametrize(("energy", "weights"), ENERGIES.values(), ids=ENERGIES.keys())
def test_weight_decay_adds_half_the_square_of_all_weights_and_its_gradient(energy, weights, rng):
    theta = rng.standard_normal(energy.layout.size)
    link = WeightDecay(0.5, energy.layout)
    value, gradient = link.pull(theta, 1.0, np.zeros_like(theta), None)
    views = energy.layout.views(theta)
    squares = sum(np.sum(views[name] ** 2) for name in weights)
    assert value == pytest.approx(1 + 0.25 * squares)
    assert_is_gradient(
        gradient,
        lambda t: link.pull(t, 0.0, np.zeros_like(t), None)[0],
        theta,
        energy.layout,
    )
    assert link.pull(theta, None, np.zeros_like(theta), None)[0] is None


def test_lbfgs_minimises_the_criterion_with_the_decay(rng):
    """At the minimum the criterion's own gradient is −λW in W, and 0 elsewhere."""
    X = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 3))
    energy = GaussianRBMEnergy(3, 2, 1.0)
    training = Training(
        energy,
        ScoreMatching(),
        LBFGS(gradient_tol=1e-9, value_tol=0),
        X,
        np.ones(50),
        rng,
        links=[WeightDecay(0.3, energy.layout)],
    )
    run_epochs(
        training,
        X,
        np.ones(50),
        Monitor(tol=0.0, patience=5, verbose=0, owner="Model", max_iter=500),
        SimpleNamespace(begin_epoch=bool, end_epoch=bool, end=bool),
        rows=np.arange(50),
        validation_rows=None,
        budget=Budget(500),
        batch_size=50,
        shuffle=False,
    )
    _, gradient, _ = FlatObjective(ScoreMatching()).step(
        energy, training.theta, X, np.full(50, 1 / 50), None, None
    )
    weights = energy.layout.views(training.theta)["weights"]
    assert np.abs(weights).max() > 0.01
    out = energy.layout.views(gradient)
    assert_allclose(out["weights"], -0.3 * weights, atol=1e-6)
    assert_allclose(out["visible_bias"], 0, atol=1e-6)
    assert_allclose(out["hidden_bias"], 0, atol=1e-6)


def test_a_sparsity_target_pulls_the_activity_of_hidden_units_to_it(rng, path_of, exact_likelihood):
    energy = BernoulliRBMEnergy(6, 4)
    X = (rng.random((100, 6)) < 0.5).astype(np.float64)
    theta = 0.1 * rng.standard_normal(energy.layout.size)
    links = [Centring(energy), SparsityTarget(energy, 0.1, 1.0)]
    path = path_of(energy, exact_likelihood, SGD(0.1), X, theta, links, 400)
    assert energy.posterior(path[-1], X).mean(axis=0) == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    ("link", "name"),
    [
        (SparsityTarget(GaussianRBMEnergy(3, 2), 0.1, 1.0), r"sparsity_target=0\.1"),
        (DrawnBits(), r"binarize='dynamic'"),
        (CompletedGaps(GaussianRBMEnergy(3, 2)), r"missing entries \(NaN\)"),
        (Centring(GaussianRBMEnergy(3, 2)), r"centered=True"),
        (Projection(None, None, "P ≥ 0"), r"P ≥ 0"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_lbfgs_takes_links_that_are_deterministic_and_move_nothing(link, name):
    decay = WeightDecay(0.1, GaussianRBMEnergy(3, 2).layout)
    check_compatible(ScoreMatching(), LBFGS(), [decay])
    check_compatible(ScoreMatching(), SGD(), [decay, link])
    with pytest.raises(ValueError, match=f"{name} .* LBFGS needs"):
        check_compatible(ScoreMatching(), LBFGS(), [decay, link])
