"""Training that leaves the finite numbers ends with the last finite parameters."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklvm import BinaryLatentVAE, DeepEnergyModel, GaussianRBM, VAETransformer
from sklvm.exceptions import DivergenceError
from sklvm.optimizers import SGD, Adam


@pytest.mark.parametrize("optimizer", [SGD(1e6), SGD(1e6, momentum=0.9), Adam(1e6)])
def test_a_learning_rate_of_a_million_leaves_the_last_finite_parameters(
    case, optimizer, a_training, train
):
    objective, energy, X = case
    training = a_training(objective, optimizer, X, energy=energy)
    start = training.theta.copy()
    with pytest.raises(DivergenceError, match=r"diverged .* smaller learning rate"):
        train(training, X, max_iter=50)
    assert np.all(np.isfinite(training.theta))
    assert np.linalg.norm(training.theta) < 1e9
    assert training.theta.shape == start.shape


def test_a_divergence_returns_to_the_last_epoch_that_ended_well(
    gaussian_data, a_training, train, Recorder
):
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


SCALES = {
    "deep": DeepEnergyModel(
        2,
        hidden_layer_sizes=(),
        sigma="learn",
        partition="none",
        max_iter=20,
        objective="score_matching",
        optimizer="adam",
    ),
    "deeper": DeepEnergyModel(
        2,
        hidden_layer_sizes=(3,),
        sigma="learn",
        partition="none",
        max_iter=20,
        objective="score_matching",
        optimizer="adam",
    ),
    "gaussian rbm": GaussianRBM(2, partition="none", max_iter=20),
    "diagonal rbm": GaussianRBM(2, sigma="learn_diagonal", partition="none", max_iter=20),
    "vae": VAETransformer(2, hidden_layer_sizes=(4,), max_iter=50, optimizer="adam"),
    "diagonal vae": VAETransformer(
        2, hidden_layer_sizes=(4,), sigma="learn_diagonal", max_iter=50, optimizer="adam"
    ),
    "binary": BinaryLatentVAE(2, max_iter=50, optimizer="adam"),
}


@pytest.mark.parametrize("rate", [1.0, 10.0, 100.0, 1e4])
@pytest.mark.parametrize("name", SCALES)
def test_a_learned_scale_ends_finite_or_in_an_error(name, rate):
    """The last step of a fit may be the one in which σ leaves the finite numbers."""
    for seed in range(5):
        X = np.random.default_rng(seed).standard_normal((30, 3))
        model = clone(SCALES[name]).set_params(optimizer=SGD(rate), max_iter=2, random_state=0)
        try:
            model.fit(X)
        except DivergenceError:
            pass
        assert np.all(np.isfinite(model.sigma_))
        assert np.all(1e-6 < np.asarray(model.sigma_))
        assert np.all(np.asarray(model.sigma_) < 1e6)
        assert np.all(np.isfinite(model.transform(X)))
