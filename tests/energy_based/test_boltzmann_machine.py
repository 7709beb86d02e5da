"""Boltzmann machines as estimators: what they learn, conditionals, recall, spins, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sklvm import BernoulliRBM, BoltzmannMachine
from sklvm.optimizers import LBFGS, Adam
from sklvm.partition import AnnealedImportanceSampling


@pytest.fixture(scope="module")
def bars_and_stripes():
    """All images of 3 × 3 that are bars or stripes."""
    patterns = ((np.arange(8)[:, np.newaxis] >> np.arange(3)) & 1).astype(float)
    images = [np.repeat(p[:, np.newaxis], 3, axis=1) for p in patterns]
    images += [image.T for image in images]
    return np.unique([image.ravel() for image in images], axis=0)


@pytest.fixture(scope="module")
def digits():
    """Digits of 4 × 4 bits, training and test rows."""
    images = load_digits().images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    X = (images > 8).astype(float)[np.random.default_rng(0).permutation(1797)]
    return X[:1400], X[1400:]


@pytest.fixture(scope="module")
def model(digits):
    return BoltzmannMachine(random_state=0).fit(digits[0])


def test_maximum_likelihood_of_bars_and_stripes_reaches_its_bound(bars_and_stripes):
    # 14 patterns, no density gives each of them more than 1/14; sum −36.95.
    model = BoltzmannMachine(objective="mle", weight_decay=1e-6, max_iter=5000)
    model.fit(bars_and_stripes)
    assert model.score_samples(bars_and_stripes).sum() == pytest.approx(-36.95, abs=0.01)


def test_digits_are_learned_to_their_known_likelihood(model, digits):
    independent = BoltzmannMachine(structure="diagonal").fit(digits[0])
    assert independent.score(digits[1]) == pytest.approx(-5.45, abs=0.06)
    assert model.score(digits[1]) > -5.08
    assert np.isfinite(model.log_partition_)


def test_the_moments_of_maximum_likelihood_are_those_of_the_data(rng):
    X = (rng.random((200, 5)) < 0.5) | (rng.random((200, 1)) < 0.3)
    optimizer = LBFGS(gradient_tol=1e-8, value_tol=1e-14)
    model = BoltzmannMachine(objective="mle", optimizer=optimizer, weight_decay=0.0).fit(X)
    states = ((np.arange(32)[:, np.newaxis] >> np.arange(5)) & 1).astype(float)
    p = np.exp(model.score_samples(states))
    assert_allclose(p @ states, X.mean(axis=0), atol=1e-4)
    assert_allclose(states.T * p @ states, X.T.astype(float) @ X / 200, atol=1e-4)


def test_hidden_units_explain_what_pairs_cannot():
    # The parity of three bits: all pairs are independent.
    X = ((np.arange(8)[:, np.newaxis] >> np.arange(3)) & 1).astype(float)
    X = np.hstack([X, X.sum(axis=1, keepdims=True) % 2])
    visible = BoltzmannMachine(objective="mle").fit(X)
    assert visible.score(X) == pytest.approx(-4 * np.log(2), abs=1e-3)
    hidden = BoltzmannMachine(
        2,
        objective="mle",
        optimizer=Adam(0.1),
        weight_decay=1e-5,
        max_iter=600,
        random_state=0,
    ).fit(X)
    assert hidden.score(X) == pytest.approx(-3 * np.log(2), abs=0.01)
    assert hidden.transform(X).shape == (8, 2)
    assert hidden.coupling_hidden_.shape == (2, 2)
    assert not hasattr(visible, "transform")


def test_a_conditional_is_a_machine_again(model, digits):
    X, free = digits[1][:5], np.arange(16) >= 10
    log_p = model.conditional_log_proba(X, free)
    states = ((np.arange(64)[:, np.newaxis] >> np.arange(6)) & 1).astype(float)
    for x, value in zip(X, log_p, strict=True):
        rows = np.hstack([np.tile(x[:10], (64, 1)), states])
        scores = model.score_samples(rows)
        which = np.flatnonzero((states == x[10:]).all(axis=1))[0]
        assert value == pytest.approx(scores[which] - np.logaddexp.reduce(scores))


def test_conditionals_of_many_units_are_annealed(rng):
    X = np.repeat(rng.random((100, 8)) < 0.5, 3, axis=1)
    X = (X ^ (rng.random(X.shape) < 0.1)).astype(float)
    partition = AnnealedImportanceSampling(300, 100)
    model = BoltzmannMachine(weight_decay=0.01, partition=partition, random_state=0).fit(X)
    free = np.arange(24) < 21
    annealed = model.conditional_log_proba(X[:3], free)
    energy, theta = model.fitted_energy_
    exact = -energy.evaluate(theta, X[:3])[0] - energy.log_clamped_partition(theta, X[:3], free)
    assert_allclose(annealed, exact, atol=0.15)
    assert_allclose(model.conditional_log_proba(X[:1], free), annealed[:1], rtol=1e-9)


def test_recall_ends_where_no_single_change_is_better(model, digits):
    X, noise = digits[1][:100], np.random.default_rng(1).random((100, 16)) < 0.1
    free = np.arange(16) < 12
    modes, log_p = model.modes(np.abs(X - noise), free)
    assert_allclose(log_p, model.score_samples(modes))
    assert_array_equal(modes[:, ~free], np.abs(X - noise)[:, ~free])
    for j in np.flatnonzero(free):
        other = modes.copy()
        other[:, j] = 1 - other[:, j]
        assert np.all(model.score_samples(other) <= log_p + 1e-9)


def test_recall_with_hidden_units_climbs_the_marginal_density(digits):
    model = BoltzmannMachine(2, max_iter=20, random_state=0)
    with pytest.warns(match="did not converge"):
        model.fit(digits[0])
    modes, log_p = model.modes(digits[1][:20])
    assert np.all(log_p >= model.score_samples(digits[1][:20]) - 1e-9)
    for j in range(16):
        other = modes.copy()
        other[:, j] = 1 - other[:, j]
        assert np.all(model.score_samples(other) <= log_p + 2e-4)


@pytest.mark.parametrize("n_components", [0, 2])
def test_spins_are_bits_under_another_name(n_components, digits):
    X, test = digits[0][:300], digits[1][:10]
    options = {"objective": "pcd", "max_iter": 3, "random_state": 0}
    bits = BoltzmannMachine(n_components, **options).fit(X)
    spins = BoltzmannMachine(n_components, states="spin", **options).fit(2 * X - 1)
    assert_allclose(spins.score_samples(2 * test - 1), bits.score_samples(test))
    draws = spins.sample(5, random_state=0)
    assert_array_equal(draws, 2 * bits.sample(5, random_state=0) - 1)
    if n_components == 0:
        # The attributes are those of ½ sᵀJs + hᵀs.
        s = 2 * test - 1
        log_p = 0.5 * np.einsum("ij,ij->i", s @ spins.coupling_, s) + s @ spins.intercept_
        assert np.ptp(log_p - spins.score_samples(s)) < 1e-9
    else:
        Z, s = bits.transform(test), 2 * test - 1
        assert_allclose(spins.transform(s), Z)
        odds = s @ spins.components_.T + spins.intercept_hidden_
        bits_odds = test @ bits.components_.T + bits.intercept_hidden_
        assert_allclose(odds, bits_odds)
        assert_allclose(spins.inverse_transform(Z), 2 * bits.inverse_transform(Z) - 1)


def test_on_a_lattice_only_neighbours_are_coupled(digits):
    model = BoltzmannMachine(structure="lattice", image_shape=(4, 4), radius=1).fit(digits[0])
    places = np.stack(np.divmod(np.arange(16), 4), axis=1)
    near = np.abs(places[:, np.newaxis] - places).max(axis=2) == 1
    assert not model.coupling_[~near].any()
    assert np.count_nonzero(model.coupling_) > 70
    assert model.score(digits[1]) > -5.35  # of independent pixels −5.45


def test_missing_entries_are_trained_on_and_filled_in(digits):
    X, rng = digits[0].copy(), np.random.default_rng(0)
    X[rng.random(X.shape) < 0.2] = np.nan
    model = BoltzmannMachine(objective="pcd", max_iter=20, random_state=0).fit(X)
    assert model.score(digits[1]) > -5.25
    test = digits[1][:50].copy()
    test[:, 8:] = np.nan
    drawn = model.impute(test, method="draw", random_state=0)
    assert set(np.unique(drawn)) == {0, 1}
    filled = model.impute(test, random_state=0)
    is_wrong = np.round(filled[:, 8:]) != digits[1][:50, 8:]
    assert is_wrong.mean() < 0.22
    gaps = digits[1][:3].copy()
    gaps[:, 3] = np.nan
    both = [np.where(np.isnan(gaps), value, gaps) for value in (0.0, 1.0)]
    summed = np.logaddexp(*(model.score_samples(rows) for rows in both))
    assert_allclose(model.score_samples(gaps), summed)


def test_a_search_over_hidden_units_and_criteria(digits):
    grid = {"n_components": [0, 2], "objective": ["pseudo_likelihood", "pcd"], "max_iter": [15]}
    search = GridSearchCV(BoltzmannMachine(tol=0, random_state=0), grid, cv=2, error_score="raise")
    with pytest.warns(match="did not converge"):
        search.fit(digits[0][:400])
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"structure": np.triu(np.ones((16, 16), dtype=bool))}, "`structure` must be symmetric"),
        ({"structure": np.ones((3, 3), dtype=bool)}, r"must have the shape \(16, 16\)"),
        ({"structure": "lattice", "image_shape": (3, 5)}, "product is the number of features, 16"),
        ({"n_components": 13}, r"n_components.*\[0, 12\].*Got 13"),
        ({"objective": "score_matching"}, "does not fit BoltzmannMachine.*'pseudo_likelihood'"),
        ({"objective": "vnce"}, "does not fit BoltzmannMachine"),
        ({"objective": "pcd", "optimizer": "lbfgs"}, "needs a deterministic objective"),
        ({"states": "spin"}, "X must hold -1 and 1, got values from 0 to 1"),
        ({"n_components": 5, "objective": "mle"}, r"about 2\^21. Use objective='pcd'"),
    ],
)
def test_bad_parameters_are_named(parameters, message, digits):
    with pytest.raises(ValueError, match=message):
        BoltzmannMachine(**parameters).fit(digits[0])


def test_data_that_are_not_binary_are_refused(digits):
    with pytest.raises(ValueError, match="X must be binary, or probabilities"):
        BoltzmannMachine().fit(3 * digits[0])
    with pytest.raises(ValueError, match="Single bits are flipped: that needs data of 0 and 1"):
        BoltzmannMachine().fit(0.5 * digits[0])
    with pytest.raises(ValueError, match=r"X contains NaN.*'adam'"):
        BoltzmannMachine().fit(np.where(digits[0] > 0, np.nan, 0))


def test_a_restricted_machine_is_one_of_them(digits):
    rbm = BernoulliRBM(3, max_iter=2, random_state=0).fit(digits[0])
    machine = BoltzmannMachine(3, structure="diagonal", max_iter=0, objective="pcd")
    machine.fit(digits[0])
    energy = machine.fitted_energy_.energy
    theta = energy.layout.pack(
        coupling=0.0,
        visible_bias=rbm.intercept_visible_,
        weights=rbm.components_,
        hidden_coupling=0.0,
        hidden_bias=rbm.intercept_hidden_,
    )
    assert_allclose(energy.evaluate(theta, digits[1])[0], rbm.energy(digits[1]))
