"""The objective that the documentation adds."""

import numpy as np
import pytest
from importance_sampled_likelihood import ImportanceSampledLikelihood
from product_of_t import ProductOfT

from sklvm import DeepEnergyModel
from sklvm.testing import ExactDistribution, FlatObjective, ObjectiveTestCase, small_models


class TestImportanceSampledLikelihood(ObjectiveTestCase):
    def make(self):
        return ImportanceSampledLikelihood(n_draws=40)


def test_its_value_is_the_mean_negative_log_likelihood():
    energy, theta, X = small_models()["bernoulli_rbm"]
    objective = ImportanceSampledLikelihood(n_draws=400_000)
    weights, rng = np.full(len(X), 1 / len(X)), np.random.default_rng(0)
    _, state = FlatObjective(objective).init(energy, theta, X, weights, rng)
    value, _, _ = FlatObjective(objective).step(energy, theta, X, weights, state, rng)
    log_z = ExactDistribution(energy, theta, X).log_partition
    assert value == pytest.approx(np.mean(energy.evaluate(theta, X)[0]) + log_z, abs=0.01)


@pytest.mark.parametrize(
    "model",
    [
        DeepEnergyModel(
            4,
            hidden_layer_sizes=(6,),
            max_iter=20,
            objective="score_matching",
            sigma=1.0,
            optimizer="adam",
        ),
        ProductOfT(4),
    ],
)
def test_it_trains_an_estimator_as_well_as_score_matching(model):
    rng = np.random.default_rng(0)
    X = rng.standard_t(8, size=(3000, 2)) @ [[1.0, 0.5], [0.0, 0.5]]
    model.set_params(random_state=0, optimizer__learning_rate=0.01)
    train, test = X[:2000], X[2000:]
    by_score = model.fit(train).score(test)
    objective = ImportanceSampledLikelihood(n_draws=300)
    by_likelihood = model.set_params(objective=objective).fit(train).score(test)
    assert by_likelihood > by_score - 0.05


def test_a_number_of_draws_out_of_range_is_refused():
    with pytest.raises(ValueError, match="n_draws must be an integer of at least 1, got 0"):
        ProductOfT(objective=ImportanceSampledLikelihood(n_draws=0)).fit(np.eye(3))
