"""The deep belief network as users use it."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklvm import BernoulliRBM, DeepBeliefNetwork, GaussianRBM
from sklvm.energies import BernoulliRBMEnergy, GaussianRBMEnergy
from sklvm.energy_based import UpDown
from sklvm.energy_based._belief_layers import BeliefLayers
from sklvm.energy_based._up_down import UpDownTraining, _pull_hidden, _pull_visible
from sklvm.optimizers import Adam
from sklvm.testing import assert_is_gradient, binary_states, random_parameters

STATES = binary_states(5)


@pytest.fixture(scope="module")
def X():
    """Six bits in two groups that are on or off together, but for noise."""
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.random((400, 2)) < [0.3, 0.6], 3, axis=1)
    return (groups != (rng.random((400, 6)) < 0.1)).astype(np.float64)


def network(sizes=(4, 3), max_iter=40, **parameters):
    rbm = BernoulliRBM(optimizer=Adam(0.03, schedule="linear"), batch_size=50, max_iter=max_iter)
    return DeepBeliefNetwork(sizes, rbm, random_state=0, **parameters)


@pytest.fixture(scope="module")
def fitted(X):
    return network().fit(X)


@pytest.fixture(params=[(3,), (3, 4), (3, 2, 4), "gaussian"], ids=str)
def layers(request, rng):
    """Layers of random machines, with a recognition model of its own."""
    if request.param == "gaussian":
        energies, sizes = [GaussianRBMEnergy(2, 3, 0.8)], (3, 4)
    else:
        sizes = request.param
        energies = [BernoulliRBMEnergy(5, sizes[0])]
    energies += [BernoulliRBMEnergy(a, b) for a, b in pairwise(sizes)]
    generative = [random_parameters(energy, rng, scale=0.8) for energy in energies]
    recognition = [theta + 0.2 * rng.standard_normal(theta.size) for theta in generative[:-1]]
    return BeliefLayers(energies, generative, recognition)


def points(layers, rng):
    return STATES if layers.energies[0].n_features == 5 else rng.standard_normal((8, 2))


def log_joint(layers, X, hidden):
    """log p̃(x, h¹, …, h^(L−1)) by the formulas of the machines' conditionals."""
    below, total = X, 0.0
    for energy, theta, units in zip(layers.energies, layers.generative, hidden, strict=False):
        views = energy.layout.views(theta)
        mean = units @ views["weights"] + views["visible_bias"]
        if isinstance(energy, GaussianRBMEnergy):
            total = total - ((below - mean) ** 2 / (2 * 0.64) + 0.5 * np.log(2 * np.pi * 0.64)).sum(
                1
            )
        else:
            p = 1 / (1 + np.exp(-mean))
            total = total + np.log(np.where(below == 1, p, 1 - p)).sum(axis=1)
        below = units
    top, theta = layers.energies[-1], layers.generative[-1]
    return total - top.evaluate(theta, below)[0]


# -- sums -----------------------------------------------------------------------------------------


def test_the_density_is_the_sum_over_all_hidden_states(layers, rng):
    X, sizes = points(layers, rng), layers.sizes[:-1]
    if not sizes:
        assert_allclose(layers.log_density(X), log_joint(layers, X, []))
        return
    states = binary_states(sum(sizes))
    terms = [
        log_joint(layers, X, np.split(np.tile(z, (len(X), 1)), np.cumsum(sizes)[:-1], axis=1))
        for z in states
    ]
    assert layers.is_exact
    assert_allclose(layers.log_density(X), logsumexp(terms, axis=0), rtol=1e-10)


def test_it_sums_to_the_partition_function_of_the_machine_on_top(layers):
    if layers.energies[0].n_features != 5:
        pytest.skip("real visible units")
    log_z = layers.energies[-1].log_partition(layers.generative[-1])
    assert_allclose(logsumexp(layers.log_density(STATES)), log_z, rtol=1e-10)


def test_importance_weights_are_unbiased_and_their_logarithms_a_bound(layers, rng):
    X = points(layers, rng)
    log_p, log_weights = layers.log_density(X), layers.log_importance_weights(X, 5000)
    shares = np.exp(log_weights - log_p[:, np.newaxis])
    n = log_weights.shape[1]
    assert np.all(np.abs(shares.mean(axis=1) - 1) <= 5 * shares.std(axis=1) / np.sqrt(n) + 1e-9)
    assert np.all(log_weights.mean(axis=1) <= log_p + 1e-9)
    assert_allclose(layers.log_importance_weights(X[:2], 5000), log_weights[:2], rtol=1e-9)


def test_with_weights_tied_to_the_layer_below_it_is_the_restricted_machine(rng):
    rbm = BernoulliRBMEnergy(5, 3)
    theta = random_parameters(rbm, rng)
    views = rbm.layout.views(theta)
    mirrored = BernoulliRBMEnergy(3, 5)
    theta_2 = mirrored.layout.pack(
        weights=views["weights"].T,
        visible_bias=views["hidden_bias"],
        hidden_bias=views["visible_bias"],
    )
    tied = BeliefLayers([rbm, mirrored], [theta, theta_2], [theta])
    assert_allclose(tied.log_density(STATES), -rbm.evaluate(theta, STATES)[0], rtol=1e-10)


def test_the_up_down_gradients_are_those_of_the_conditionals(layers, rng):
    """Wake: of log p(below | above); sleep: of log q(above | below); at the draws of the step."""
    if layers.n_layers == 1:
        pytest.skip("no directed layer")
    energy, theta, w = layers.energies[0], layers.generative[0], rng.random(6)
    X, Z = points(layers, rng)[:6], binary_states(3)[:6]

    def wake(t):
        views = energy.layout.views(t)
        mean = Z @ views["weights"] + views["visible_bias"]
        if isinstance(energy, GaussianRBMEnergy):
            return w @ ((X - mean) ** 2).sum(axis=1) / (2 * 0.64)
        return w @ (np.log1p(np.exp(mean)) - X * mean).sum(axis=1)

    def sleep(t):
        logits = energy.posterior_logits(t, X)
        return w @ (np.log1p(np.exp(logits)) - Z * logits).sum(axis=1)

    assert_is_gradient(_pull_visible(energy, theta, X, Z, w), wake, theta, energy.layout)
    assert_is_gradient(_pull_hidden(energy, theta, X, Z, w), sleep, theta, energy.layout)


def test_up_down_takes_the_expected_steps_at_a_model_of_its_own_data(rng):
    """At draws from the model itself, the mean gradient of p is 0."""
    rbm, top = BernoulliRBMEnergy(5, 3), BernoulliRBMEnergy(3, 5)
    theta = random_parameters(rbm, rng, scale=0.5)
    views = rbm.layout.views(theta)
    theta_2 = top.layout.pack(
        weights=views["weights"].T,
        visible_bias=views["hidden_bias"],
        hidden_bias=views["visible_bias"],
    )
    X = rbm.sample(theta, 60_000, rng)
    layers = BeliefLayers([rbm, top], [theta, theta_2], [theta])
    training = UpDownTraining(layers, UpDown(), len(X), False, rng)
    gradient = training.gradient(X, np.full(len(X), 1 / len(X)))
    # With tied weights the pass upwards draws from the posterior: all directions are at rest.
    assert np.abs(gradient).max() < 0.015


# -- the estimator --------------------------------------------------------------------------------


def test_scores_are_exact_where_they_can_be_and_bounds_elsewhere(fitted, monkeypatch):
    states = binary_states(6)
    exact = fitted.score_samples(states)
    assert np.exp(exact).sum() == pytest.approx(1)
    assert not fitted.score_is_bound_ and fitted.score_normalized_
    assert np.all(fitted.bound(states) <= exact + 0.05)
    monkeypatch.setattr("sklvm.energy_based._belief_layers.MAX_UNITS", 1)
    assert fitted.score_is_bound_
    estimate = fitted.score_samples(states)
    assert np.all(estimate >= fitted.bound(states) - 1e-12)
    assert_allclose(estimate, exact, atol=0.4)


def test_a_second_layer_raises_the_likelihood_of_greedy_training(X):
    one, two = network((4,), 100).fit(X), network((4, 4), 100).fit(X)
    assert_array_equal(one.coefs_[0], two.coefs_[0])
    assert two.score(X) > one.score(X) - 0.02


def test_fine_tuning_goes_on_from_the_greedy_layers(fitted, X):
    tuned = network(fine_tune=UpDown(max_iter=10, batch_size=50)).fit(X)
    assert tuned.score(X) > fitted.score(X) - 0.05
    assert np.any(tuned.recognition_coefs_[0] != tuned.coefs_[0])
    assert_array_equal(fitted.recognition_coefs_[0], fitted.coefs_[0])
    assert_array_equal(tuned.history_["stage"], [1, 2, *[3] * 10])
    assert tuned.n_iter_ == 12


def test_draws_follow_the_density(fitted):
    states = binary_states(6)
    draws = fitted.sample(4000, random_state=0)
    expected = np.exp(fitted.score_samples(states)) @ states
    assert_allclose(draws.mean(axis=0), expected, atol=0.04)


def test_layers_are_machines_and_features(fitted, X):
    first = fitted.layers_[0]
    assert_array_equal(first.components_, fitted.coefs_[0])
    every = clone(fitted).set_params(output_layer="all").fit(X)
    Z = every.transform(X)
    assert_allclose(Z[:, :4], first.transform(X))
    assert_allclose(Z[:, 4:], fitted.transform(X))
    assert len(every.get_feature_names_out()) == 7
    assert_allclose(every.inverse_transform(Z), first.inverse_transform(Z[:, :4]))
    assert fitted.inverse_transform(Z[:, 4:]).shape == X.shape


@pytest.mark.parametrize(
    ("layer", "kinds"),
    [
        ("bernoulli", [BernoulliRBM, BernoulliRBM]),
        ("gaussian", [GaussianRBM, BernoulliRBM]),
        ([GaussianRBM(max_iter=1), "bernoulli"], [GaussianRBM, BernoulliRBM]),
    ],
)
def test_a_machine_stands_for_every_layer(layer, kinds, X):
    model = DeepBeliefNetwork((3, 2), layer, random_state=0)
    if isinstance(layer, str):
        model.set_params(layer__max_iter=1, layer__objective="cd")
    model.fit(X)
    assert [type(each) for each in model.layers_] == kinds
    assert [each.n_components for each in model.layers_] == [3, 2]
    if isinstance(layer, str):
        assert [each.objective for each in model.layers_] == ["cd", "cd"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must hold the size of at least one"),
        ({"layer": ["bernoulli"]}, "one machine for each of the 2 layers.*got 1"),
        ({"layer": ["bernoulli", "gaussian"]}, "Layer 2 must be a BernoulliRBM"),
        ({"layer": [BernoulliRBM(), 3]}, "got 3 for layer 2"),
        ({"layer": GaussianRBM(objective="score_matching")}, "layer 2, a BernoulliRBM"),
        ({"layer": "gaussian", "binarize": 0.5}, "binarize=0.5 makes bits"),
        ({"output_layer": 3}, "output_layer must be"),
        ({"fine_tune": UpDown(n_steps=0)}, "n_steps"),
    ],
)
def test_wrong_stacks_are_refused_in_words(parameters, message, X):
    model = DeepBeliefNetwork(**{"hidden_layer_sizes": (3, 2), **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert not hasattr(model, "layers_")


def test_progress_tells_the_layers(X, capsys):
    network(max_iter=2, verbose=1).fit(X)
    out = capsys.readouterr().out
    assert "[BernoulliRBM] epoch 2/2" in out
    assert "[DeepBeliefNetwork] epoch 2/2" in out and "stage 2" in out


def test_sparse_rows_copies_searches_and_pipelines(fitted, X):
    sparse = network().fit(csr_array(X))
    assert_allclose(sparse.score_samples(csr_array(X)), fitted.score_samples(X), rtol=1e-9)
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    y = (X[:, :3].sum(axis=1) > 1.5).astype(int)
    pipeline = make_pipeline(network(output_layer="all"), LogisticRegression())
    assert pipeline.fit(X, y).score(X, y) > 0.9
    search = GridSearchCV(network(max_iter=5), {"hidden_layer_sizes": [(3,), (3, 2)]}, cv=2)
    assert set(search.fit(X).best_params_) == {"hidden_layer_sizes"}
