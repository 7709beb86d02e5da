"""Markov random fields as densities: recovery, exact scores, spins, imputation, errors."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from sklvm import MarkovRandomField
from sklvm.energies import PottsEnergy
from sklvm.graphs import grid_graph
from sklvm.partition import AnnealedImportanceSampling


def draws_of(shape, n_states, n, seed=0, scale=1.0):
    """Exact draws from a random field with couplings of one or two nats; J, and b of all states."""
    rng = np.random.default_rng(seed)
    energy = PottsEnergy(grid_graph(shape), n_states)
    J = scale * rng.uniform(0.5, 1.5, energy.graph.n_edges)
    b = 0.5 * rng.standard_normal((energy.n_features, n_states - 1))
    return energy.sample(energy.layout.pack(coupling=J, biases=b), n, rng), J, b


@pytest.mark.parametrize("n_states", [2, 3])
@pytest.mark.parametrize("objective", ["pseudo_likelihood", "mle", "pcd"])
def test_the_field_is_found_from_its_draws(objective, n_states):
    X, J, b = draws_of((3, 3), n_states, 4000)
    model = MarkovRandomField(
        (3, 3), n_states=n_states, objective=objective, weight_decay=0.0, random_state=0,
        max_iter=60,
    ).fit(X)  # fmt: skip
    assert np.sqrt(np.mean((model.coupling_ - J) ** 2)) < 0.12
    assert np.sqrt(np.mean((model.intercept_[:, 1:] - b) ** 2)) < 0.15
    np.testing.assert_array_equal(model.intercept_[:, 0], 0)


def test_scores_are_exact_log_probabilities():
    X, _, _ = draws_of((2, 3), 3, 200)
    model = MarkovRandomField((2, 3), n_states=3).fit(X)
    states = np.array(list(product(range(3), repeat=6)), dtype=float)
    assert logsumexp(model.score_samples(states)) == pytest.approx(0, abs=1e-9)
    assert model.log_partition_std_err_ == 0
    x = X[0].astype(int)
    potential = model.intercept_[np.arange(6), x].sum()
    potential += sum(
        J for J, (s, t) in zip(model.coupling_, model.edges_, strict=True) if x[s] == x[t]
    )
    expected = potential - model.log_partition_
    assert model.score_samples(X[:1])[0] == pytest.approx(expected)


def test_spins_are_labels_in_other_words():
    X, _, _ = draws_of((3, 4), 2, 500)
    labels = MarkovRandomField((3, 4)).fit(X)
    spins = MarkovRandomField((3, 4), states="spin").fit(2 * X - 1)
    np.testing.assert_allclose(spins.score_samples(2 * X - 1), labels.score_samples(X))
    np.testing.assert_allclose(spins.coupling_, labels.coupling_ / 2)
    np.testing.assert_allclose(spins.intercept_, labels.intercept_[:, 1] / 2)
    # The formula of spins, but for a constant.
    S = 2 * X - 1
    pairs = S[:, spins.edges_[:, 0]] * S[:, spins.edges_[:, 1]]
    by_formula = S @ spins.intercept_ + pairs @ spins.coupling_
    np.testing.assert_allclose(np.ptp(by_formula + spins.energy(S)), 0, atol=1e-9)
    assert set(np.unique(spins.sample(50, random_state=0))) == {-1.0, 1.0}
    gaps = np.where(np.arange(12) == 5, np.nan, S[:20])
    filled = spins.impute(gaps, random_state=0)
    assert set(np.unique(filled)) == {-1.0, 1.0}
    means = spins.impute(gaps, method="mean", random_state=0)[:, 5]
    assert np.all(np.abs(means) <= 1) and np.any(np.abs(means) < 1)


def test_a_homogeneous_field_shares_its_parameters():
    energy = PottsEnergy(grid_graph((6, 6)), homogeneous=True)
    theta = energy.layout.pack(coupling=[0.8], biases=[[0.3]])
    X = energy.sample(theta, 600, np.random.default_rng(0))
    model = MarkovRandomField((6, 6), homogeneous=True).fit(X)
    assert model.coupling_.shape == (1,) and model.intercept_.shape == (1, 2)
    assert model.coupling_[0] == pytest.approx(0.8, abs=0.06)
    assert model.intercept_[0, 1] == pytest.approx(0.3, abs=0.1)


def test_annealing_agrees_with_the_exact_sum():
    X, _, _ = draws_of((6, 6), 2, 300, scale=0.7)
    model = MarkovRandomField((6, 6), partition=AnnealedImportanceSampling(300, 200, bracket=True))
    model.fit(X).estimate_log_partition(random_state=0)
    exact = model.fitted_energy_.energy.log_partition(model.fitted_energy_.theta)
    assert abs(model.log_partition_ - exact) < 3 * model.log_partition_std_err_
    lower, upper = model.log_partition_bracket_
    assert lower - 0.3 < exact < upper + 0.3


def test_missing_labels_are_filled_in_by_their_most_probable_state():
    X, _, _ = draws_of((3, 3), 3, 3000, scale=2.0)
    model = MarkovRandomField((3, 3), n_states=3).fit(X)
    gaps = np.where(np.arange(9) == 4, np.nan, X[:100])
    filled = model.impute(gaps, random_state=0)
    logits, _ = model.fitted_energy_.energy.site_logits(model.fitted_energy_.theta, X[:100])
    best = np.sort(logits[:, 4], axis=1)
    clear = best[:, -1] > best[:, -2] + 0.7
    np.testing.assert_array_equal(filled[clear, 4], logits[clear, 4].argmax(axis=1))
    draws = model.impute(np.tile(gaps[:1], (3000, 1)), method="draw", random_state=0)[:, 4]
    p = np.exp(logits[0, 4] - logsumexp(logits[0, 4]))
    shares = np.bincount(draws.astype(int), minlength=3) / 3000
    np.testing.assert_allclose(shares, p, atol=0.04)


def test_training_with_gaps(rng):
    X, J, _ = draws_of((2, 3), 2, 2000)
    gaps = np.where(rng.random(X.shape) < 0.15, np.nan, X)
    model = MarkovRandomField((2, 3), objective="pcd", max_iter=60, random_state=0).fit(gaps)
    assert np.abs(model.coupling_ - J).mean() < 0.25


def test_any_graph_may_be_given(rng):
    structure = np.zeros((5, 5), dtype=bool)
    structure[0, 3] = structure[3, 0] = structure[1, 4] = structure[4, 1] = True
    X = (rng.random((800, 5)) < 0.5).astype(float)
    X[:, 3] = np.where(rng.random(800) < 0.8, X[:, 0], 1 - X[:, 0])
    model = MarkovRandomField(structure=structure).fit(X)
    np.testing.assert_array_equal(model.edges_, [[0, 3], [1, 4]])
    # P(alike) = s(J) for two sites without fields.
    assert model.coupling_[0] == pytest.approx(np.log(0.8 / 0.2), abs=0.3)
    assert abs(model.coupling_[1]) < 0.3


def test_it_beats_independent_sites_on_rows_that_it_has_not_seen():
    X, _, _ = draws_of((6, 6), 2, 200)
    train, test = X[:100], X[100:]
    model = MarkovRandomField((6, 6)).fit(train)
    alone = MarkovRandomField((6, 6), max_iter=0).fit(train)
    assert model.score(test) > alone.score(test) + 1
    np.testing.assert_array_equal(alone.coupling_, 0)


def test_pseudo_likelihoods_are_sums_of_conditionals():
    X, _, _ = draws_of((2, 2), 2, 50)
    model = MarkovRandomField((2, 2)).fit(X)
    expected = 0.0
    for s in range(4):
        flipped = X.copy()
        flipped[:, s] = 1 - flipped[:, s]
        expected = expected - np.log1p(np.exp(model.energy(X) - model.energy(flipped)))
    np.testing.assert_allclose(model.pseudo_log_likelihood(X), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"image_shape": (2, 2)}, "has 4 pixels, and the data have 6"),
        ({"neighbourhood": 5}, "neighbourhood must be 4 or 8, got 5"),
        ({"structure": np.eye(5, dtype=bool)}, r"symmetric mask of dtype bool and shape \(6, 6\)"),
        ({"structure": np.triu(np.ones((6, 6), dtype=bool))}, "symmetric mask"),
        ({"states": "spin"}, "X must hold -1 and 1, got values from 0 to 1"),
        ({"n_states": 3, "states": "spin"}, "states='spin' is for two states, got n_states=3"),
        ({"n_states": 3, "objective": "nce"}, "draws bits, or flips them"),
        ({"n_states": 3, "binarize": 0.5}, "binarize=0.5 is for two states"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(rng, parameters, message):
    X = (rng.random((20, 6)) < 0.5).astype(float)
    with pytest.raises(ValueError, match=message):
        MarkovRandomField(**parameters).fit(X)


def test_states_out_of_range_and_means_of_labels_are_refused(rng):
    X = rng.integers(3, size=(30, 6)).astype(float)
    with pytest.raises(ValueError, match="the states 0 to 1, got values from 0 to 2"):
        MarkovRandomField().fit(X)
    model = MarkovRandomField(n_states=3).fit(X)
    with pytest.raises(ValueError, match="method='mean' is for two states, and there are 3"):
        model.impute(X, method="mean")
    with pytest.raises(ValueError, match="method must be 'mode' or 'mean' or 'draw', got 'best'"):
        model.impute(X, method="best")
