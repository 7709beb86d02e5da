"""Deep energies grown layer by layer."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm import DeepEnergyModel
from sklvm.energies import DeepEnergy
from sklvm.optimizers import Adam
from sklvm.testing import random_parameters


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, 600)
    ring = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ring + 0.3 * rng.standard_normal((600, 2))


def small(**parameters):
    defaults = {
        "n_components": 6,
        "hidden_layer_sizes": (8, 8, 10),
        "growth": "layerwise",
        "sigma": 1.0,
        "objective": "score_matching",
        "optimizer": Adam(0.01),
        "max_iter": 9,
        "random_state": 0,
    }
    return DeepEnergyModel(**{**defaults, **parameters})


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "identity"])
@pytest.mark.parametrize("hidden_bias", [True, False])
@pytest.mark.parametrize("width", [5, 9])
def test_a_new_layer_leaves_the_energy_and_its_score_as_they_were(
    activation, hidden_bias, width, rng
):
    options = {"activation": activation, "hidden_bias": hidden_bias, "sigma": "learn"}
    small, large = (DeepEnergy(3, 4, sizes, **options) for sizes in ((5,), (5, width)))
    theta, X = random_parameters(small, rng), rng.standard_normal((50, 3))
    grown = large.grown(small, theta, X, rng)
    before, after = small.evaluate(theta, X)[0], large.evaluate(grown, X)[0]
    # The straight part of a sigmoid is not quite straight.
    assert_allclose(after, before, atol=1e-12 if activation == "identity" else 0.01)
    assert_allclose(large.score(grown, X)[0], small.score(theta, X)[0], atol=0.03)


def test_layers_come_in_equal_shares_of_the_epochs(X):
    model = small().fit(X)
    assert_array_equal(model.history_["n_layers"], [1, 1, 1, 2, 2, 2, 3, 3, 3])
    assert [len(coefs) for coefs in model.coefs_] == [8, 8, 10, 6]
    assert np.isfinite(model.score_samples(X)).all()


def test_the_criterion_does_not_jump_where_a_layer_comes(X):
    values = small(max_iter=30, optimizer=Adam(0.003)).fit(X).history_["objective"]
    assert np.all(np.diff(values)[[9, 19]] < 0.05)
    assert values[-1] < values[0] - 0.1


def test_greedy_growth_leaves_the_layers_below_as_they_are(X):
    settings = {"growth": "greedy", "shuffle": False}
    first = small(hidden_layer_sizes=(8,), max_iter=3, **settings).fit(X)
    grown = small(hidden_layer_sizes=(8, 8), max_iter=6, **settings).fit(X)
    assert_array_equal(grown.coefs_[0], first.coefs_[0])
    assert_array_equal(grown.intercepts_[0], first.intercepts_[0])
    all_of_it = small(hidden_layer_sizes=(8, 8), max_iter=6, shuffle=False).fit(X)
    assert np.any(all_of_it.coefs_[0] != first.coefs_[0])


@pytest.mark.parametrize("max_iter", [0, 1, 2])
def test_with_few_epochs_all_layers_come_all_the_same(max_iter, X):
    assert len(small(max_iter=max_iter).fit(X).coefs_) == 4


@pytest.mark.parametrize("objective", ["nce", "pcd", "sliced_score_matching"])
def test_criteria_with_a_state_of_their_own_grow_as_well(objective, X):
    model = small(objective=objective, hidden_layer_sizes=(6, 6), max_iter=4).fit(X)
    assert len(model.coefs_) == 3
    assert np.isfinite(model.score_samples(X[:20])).all()


def test_a_grown_model_pickles_and_goes_on(X):
    model = small(warm_start=True).fit(X)
    thawed = pickle.loads(pickle.dumps(model))
    assert_array_equal(thawed.score_samples(X), model.score_samples(X))
    again = thawed.fit(X)
    assert_array_equal(again.history_["n_layers"], np.full(9, 3))


def test_the_best_epoch_on_held_out_rows_may_be_one_of_a_smaller_model(X):
    model = small(early_stopping=True, n_iter_no_change=3, optimizer=Adam(0.1), max_iter=60).fit(X)
    n_layers = model.history_["n_layers"][np.argmin(model.history_["validation_objective"])]
    assert len(model.coefs_) == n_layers + 1
    assert np.isfinite(model.score_samples(X)).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": ()}, r"growth='layerwise' adds hidden layers.*has none"),
        ({"hidden_layer_sizes": (8, 4)}, r"no narrower.*got activation='sigmoid'.*\(8, 4\)"),
        ({"activation": "softplus"}, r"'identity', 'sigmoid' or 'tanh'.*'softplus'"),
        ({"optimizer": "lbfgs"}, r"growth='layerwise' adds layers between epochs.*LBFGS"),
    ],
)
def test_what_cannot_grow_is_refused(parameters, message, X):
    with pytest.raises(ValueError, match=message):
        small(**parameters).fit(X)


def test_there_is_no_growth_in_a_stream():
    assert not hasattr(small(), "partial_fit")
    assert hasattr(small(growth=None), "partial_fit")
