"""warm_start=True: θ and chains stay; objective, optimiser and links are those of the new fit."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    DeepEnergyModel,
    DictionaryLearner,
    GaussianRBM,
    SigmoidAutoencoder,
    VAETransformer,
)
from sklvm.objectives import (
    NoiseContrastiveEstimation,
    PersistentContrastiveDivergence,
)
from sklvm.optimizers import SGD, Adam

BITS = (np.random.default_rng(0).random((60, 8)) < 0.3).astype(np.float64)
X = np.random.default_rng(1).standard_normal((60, 4))
COMMON = {"max_iter": 2, "random_state": 0, "warm_start": True}
RBM = BernoulliRBM(3, **COMMON)
VAE = VAETransformer(2, hidden_layer_sizes=(5,), **COMMON)
DEEP = DeepEnergyModel(
    3, hidden_layer_sizes=(4,), sigma=1.0, objective="score_matching", partition="none", **COMMON
)
MODELS = {
    "rbm": (RBM, BITS),
    "rbm of grey levels": (RBM, np.random.default_rng(2).random((60, 8))),
    "gaussian rbm": (GaussianRBM(3, partition="none", **COMMON), X),
    "vae": (VAE, X),
    "deep": (DEEP, X),
    "binary": (BinaryLatentVAE(3, **COMMON), X),
    "autoencoder": (SigmoidAutoencoder(3, partition="none", **COMMON), X),
}

CHANGES = [
    ("rbm", {"optimizer": SGD(1e-9)}),
    ("rbm", {"optimizer": "sgd"}),
    ("rbm", {"weight_decay": 10.0}),
    ("rbm", {"objective": "cd"}),
    ("rbm", {"objective": "nce"}),
    ("rbm", {"objective": "parallel_tempering"}),
    ("rbm", {"objective": PersistentContrastiveDivergence(n_chains=20)}),
    ("rbm", {"objective": PersistentContrastiveDivergence(n_steps=3)}),
    ("rbm", {"sparsity_target": 0.01}),
    ("rbm", {"centered": False}),
    ("rbm of grey levels", {"binarize": "dynamic"}),
    ("rbm of grey levels", {"binarize": 0.5}),
    ("rbm", {"random_state": 1}),
    ("rbm", {"objective": "mle", "optimizer": "lbfgs"}),
    ("gaussian rbm", {"sigma_floor": 0.9}),
    ("gaussian rbm", {"objective": "score_matching"}),
    ("vae", {"beta": 50.0}),
    ("vae", {"optimizer": Adam(1e-9)}),
    ("vae", {"activation": "tanh"}),
    ("vae", {"weight_decay": 10.0}),
    ("deep", {"objective": "nce"}),
    ("deep", {"objective": "pcd"}),
    ("deep", {"sigma": 2.0}),
    ("binary", {"weight_decay": 10.0}),
]


def twice(model, data, **change):
    """Fitted, and fitted again after a change."""
    model = clone(model).fit(data)
    return model.set_params(**change).fit(data)


def theta_of(model):
    return model.fitted_energy_.theta


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "change"), CHANGES, ids=str)
def test_every_change_takes_effect_and_the_parameters_stay(name, change):
    model, data = MODELS[name]
    assert not np.array_equal(theta_of(twice(model, data)), theta_of(twice(model, data, **change)))
    before = clone(model).fit(data)
    theta = theta_of(before).copy()
    assert_array_equal(theta_of(before.set_params(**change, max_iter=0).fit(data)), theta)


CONFLICTS = [
    ("rbm", {"n_components": 9}, "n_components from 3 to 9"),
    ("gaussian rbm", {"sigma": "learn_diagonal"}, "sigma from 'learn' to 'learn_diagonal'"),
    ("gaussian rbm", {"sigma": 1.0, "weight_decay": 1.0}, "sigma from 'learn' to 1.0"),
    ("vae", {"n_components": 4}, "n_components from 2 to 4"),
    ("vae", {"hidden_layer_sizes": (6,)}, r"hidden_layer_sizes from \(5,\) to \(6,\)"),
    ("vae", {"posterior": "full"}, "posterior from 'diagonal' to 'full'"),
    ("vae", {"likelihood": "bernoulli"}, "likelihood from 'gaussian' to 'bernoulli'"),
    ("deep", {"hidden_layer_sizes": ()}, r"hidden_layer_sizes from \(4,\) to \(\)"),
    (
        "deep",
        {"hidden_bias": False, "n_components": 5},
        "hidden_bias from True to False and of n_components",
    ),
    ("binary", {"tied": False}, "tied from True to False"),
    ("autoencoder", {"n_components": 5}, "n_components from 3 to 5"),
]


@pytest.mark.parametrize(("name", "change", "message"), CONFLICTS, ids=str)
def test_a_change_that_the_parameters_cannot_follow_is_named(name, change, message):
    model, data = MODELS[name]
    model, data = clone(model), np.clip(data, 0, 1)
    model.fit(data)
    theta, scores = theta_of(model).copy(), model.transform(data)
    with pytest.raises(ValueError, match=f"cannot follow the change of {message}"):
        model.set_params(**change).fit(data)
    # Nothing has happened: the fitted model is there, as it was.
    assert_array_equal(theta_of(model), theta)
    assert_array_equal(model.transform(data), scores)
    # A new model may be anything.
    model.set_params(warm_start=False).fit(data)


def test_a_dictionary_refuses_other_numbers_of_atoms_and_takes_other_penalties():
    learner = DictionaryLearner(3, alpha=0.1, tol=0, **COMMON)
    with pytest.raises(ValueError, match="n_components=5"):
        twice(learner, X, n_components=5)
    changed, same = twice(learner, X, alpha=0.5), twice(learner, X)
    assert not np.array_equal(changed.components_, same.components_)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_of_no_epochs_changes_nothing(name):
    model, data = MODELS[name]
    model = clone(model).fit(data)
    copy = pickle.loads(pickle.dumps(model))
    model.fit(data)
    copy.set_params(max_iter=0).fit(data)
    copy.set_params(max_iter=model.max_iter).fit(data)
    assert_array_equal(theta_of(copy), theta_of(model))


def test_what_was_published_before_stays_as_it_was():
    model = clone(RBM).fit(BITS)
    components, before = model.components_, model.components_.copy()
    model.fit(BITS)
    assert_array_equal(components, before)
    assert not np.array_equal(model.components_, before)


def test_chains_go_on_where_only_their_number_of_steps_changes():
    model = clone(RBM).fit(BITS)
    chains = model._training.objective_state
    more = PersistentContrastiveDivergence(n_steps=5)
    model.set_params(objective=more, max_iter=0).fit(BITS)
    assert_array_equal(model._training.objective_state.visible, chains.visible)
    fewer = PersistentContrastiveDivergence(n_chains=7)
    model.set_params(objective=fewer).fit(BITS)
    assert len(model._training.objective_state.visible) == 7


def test_what_an_objective_has_learned_goes_on_under_another_of_the_same_kind():
    model = clone(DEEP).set_params(objective="nce").fit(X)
    learned = model._training.parameters.own["log_partition_per_root_feature"].copy()
    model.set_params(objective=NoiseContrastiveEstimation(noise_ratio=3), max_iter=0).fit(X)
    own = model._training.parameters.own
    assert_array_equal(own["log_partition_per_root_feature"], learned)
    # By another kind it is gone, and begins anew afterwards.
    model.set_params(objective="score_matching").fit(X)
    assert not model._training.parameters.own
    model.set_params(objective="nce").fit(X)
    assert model._training.parameters.own.keys() == own.keys()


def test_moments_go_on_under_another_rate():
    model = clone(DEEP).set_params(optimizer=Adam(0.01)).fit(X)
    first = model._training.optimizer_state["moments"]["first"].copy()
    model.set_params(optimizer=Adam(0.02), max_iter=0).fit(X)
    assert_array_equal(model._training.optimizer_state["moments"]["first"], first)
    model.set_params(optimizer="sgd").fit(X)
    assert set(model._training.optimizer_state["moments"]) == {"velocity"}


@pytest.mark.parametrize("optimizer", [SGD(0.1, schedule="linear"), Adam(0.1, schedule="linear")])
def test_the_schedule_of_every_fit_begins_anew_and_ends_at_zero(optimizer):
    """θ ← θ − η_t at a constant gradient, the η_t falling to 0: two fits move θ equally far."""
    model = clone(DEEP).set_params(optimizer=optimizer, batch_size=20, shuffle=False)
    lengths = []
    for _ in range(2):
        model.fit(X)
        state = model._training.optimizer_state
        made = state["n_steps"] - state["first_planned_step"]
        assert made == state["n_planned_steps"] == 2 * 3
        lengths.append(state["schedule"].factor(made, state["n_planned_steps"]))
    assert lengths == [0.0, 0.0]


def test_an_encoder_that_knows_of_gaps_goes_on_with_complete_rows():
    gappy = X.copy()
    gappy[::3, 0] = np.nan
    vae = clone(VAE).fit(gappy)
    assert np.isfinite(vae.fit(X).transform(gappy)).all()
    with pytest.raises(ValueError, match="was fitted to complete data"):
        clone(VAE).fit(X).fit(gappy)
    # A new model is another matter.
    clone(VAE).fit(X).set_params(warm_start=False).fit(gappy)


def test_an_impossible_combination_is_refused_before_any_work():
    model = clone(RBM).fit(BITS)
    theta = theta_of(model).copy()
    with pytest.raises(ValueError, match="deterministic objective"):
        model.set_params(optimizer="lbfgs").fit(BITS)
    assert_array_equal(theta_of(model), theta)
    assert model._training.optimizer.full_batch is False


def test_random_numbers_offsets_and_the_count_of_steps_go_on():
    model = clone(RBM).fit(BITS)
    before = pickle.loads(pickle.dumps(model._training))
    model.set_params(weight_decay=0.1, optimizer=Adam(0.02), max_iter=0).fit(BITS)
    after = model._training
    for name in ("rng", "shuffle_rng"):
        states = (getattr(each, name).bit_generator.state for each in (before, after))
        assert next(states) == next(states)
    assert after.optimizer_state["n_steps"] == before.optimizer_state["n_steps"] > 0
    assert after.n_steps == before.n_steps
    for link, state in before.links:
        if type(link).__name__ == "Centring":
            (kept,) = (s for each, s in after.links if type(each) is type(link))
            for mean, other in zip(kept.blocks, state.blocks, strict=True):
                assert_array_equal(mean, other)
