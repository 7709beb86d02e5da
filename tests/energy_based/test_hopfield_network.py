"""Hopfield networks: the rules against their formulas, recall, known capacities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sklvm import BoltzmannMachine, HopfieldNetwork

RULES = ["hebbian", "storkey", "pseudo_inverse"]


def patterns_of(rng, n, d, dtype=np.float64):
    return np.where(rng.random((n, d)) < 0.5, 1, -1).astype(dtype)


def corrupted(rng, patterns, share):
    return np.where(rng.random(patterns.shape) < share, -patterns, patterns)


def test_the_hebbian_rule_sums_outer_products(rng):
    patterns = patterns_of(rng, 4, 10)
    J = patterns.T @ patterns / 10
    np.fill_diagonal(J, 0)
    network = HopfieldNetwork(states="spin").fit(patterns)
    assert_allclose(network.coupling_, J)
    assert_allclose(network.energy(patterns), [-0.5 * x @ J @ x for x in patterns])
    assert network.n_patterns_ == 4


def test_the_storkey_rule_is_that_of_local_fields(rng):
    patterns, J = patterns_of(rng, 5, 9), np.zeros((9, 9))
    for xi in patterns:
        new = J.copy()
        for i in range(9):
            for j in range(9):
                others = [k for k in range(9) if k not in (i, j)]
                h_ij, h_ji = J[i, others] @ xi[others], J[j, others] @ xi[others]
                new[i, j] += (xi[i] * xi[j] - xi[i] * h_ji - h_ij * xi[j]) / 9
        J = new
        np.fill_diagonal(J, 0)
    assert_allclose(HopfieldNetwork("storkey", states="spin").fit(patterns).coupling_, J)


def test_the_pseudo_inverse_projects_onto_the_patterns(rng):
    patterns = patterns_of(rng, 6, 20)
    patterns = np.vstack([patterns, -patterns[0], patterns[1]])  # which depend on each other
    projection = np.linalg.pinv(patterns) @ patterns
    J = HopfieldNetwork("pseudo_inverse", states="spin").fit(patterns).coupling_
    assert_allclose(J, projection - np.diag(projection.diagonal()), atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_patterns_may_come_one_after_the_other(rng, rule):
    patterns = patterns_of(rng, 12, 30)
    whole = HopfieldNetwork(rule, states="spin").fit(patterns)
    parts = HopfieldNetwork(rule, states="spin")
    for rows in (slice(0, 5), slice(5, 6), slice(6, 12)):
        parts.partial_fit(patterns[rows])
    assert_allclose(parts.coupling_, whole.coupling_, atol=1e-12)
    assert parts.n_patterns_ == 12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rule", RULES)
def test_few_patterns_are_recalled_from_corrupted_ones(rng, rule, dtype):
    patterns = patterns_of(rng, 10, 300, dtype)
    network = HopfieldNetwork(rule, states="spin").fit(patterns)
    recalled = network.recall(corrupted(rng, patterns, 0.1))
    assert recalled.dtype == dtype
    assert_array_equal(recalled, patterns)
    # With a pattern, its negative is stored.
    assert_array_equal(network.recall(corrupted(rng, -patterns, 0.1)), -patterns)
    bits = HopfieldNetwork(rule).fit((patterns + 1) / 2)
    assert_array_equal(bits.transform((corrupted(rng, patterns, 0.1) + 1) / 2), (patterns + 1) / 2)


@pytest.mark.parametrize("rule", RULES)
def test_recall_goes_down_to_a_local_minimum(rng, rule):
    patterns = patterns_of(rng, 15, 60)
    network = HopfieldNetwork(rule, states="spin").fit(patterns)
    start = patterns_of(rng, 40, 60)
    free = rng.random((40, 60)) < 0.7
    end = network.recall(start, free)
    assert np.all(network.energy(end) <= network.energy(start))
    assert_array_equal(end[~free], start[~free])
    worse = 2 * end * (end @ network.coupling_)  # what the change of a unit costs
    assert np.all(worse[free] >= -1e-9)
    assert_array_equal(network.recall(end, free), end)


def test_beyond_its_capacity_only_the_pseudo_inverse_still_recalls(rng):
    # P/d = 0.25 (d = 400): "Numbers known" of the three rules from 10% wrong bits.
    patterns = patterns_of(rng, 100, 400)
    probes = corrupted(rng, patterns, 0.1)
    overlaps = {
        rule: (HopfieldNetwork(rule, states="spin").fit(patterns).recall(probes) * patterns).mean(1)
        for rule in RULES
    }
    assert np.mean(overlaps["hebbian"] > 0.9) < 0.2
    assert np.mean(overlaps["storkey"] == 1) > 0.9
    assert np.mean(overlaps["pseudo_inverse"] == 1) > 0.95


def test_ties_are_ties_in_single_precision(rng):
    patterns, start = patterns_of(rng, 7, 100), patterns_of(rng, 200, 100)
    ends = [
        HopfieldNetwork(states="spin").fit(patterns.astype(t)).recall(start.astype(t))
        for t in (np.float32, np.float64)
    ]
    assert_array_equal(*ends)


def test_a_fitted_boltzmann_machine_recalls_too(rng):
    patterns = patterns_of(rng, 3, 30)
    X = corrupted(rng, np.repeat(patterns, 60, axis=0), 0.05)
    machine = BoltzmannMachine(states="spin", weight_decay=0.01, partition="none").fit(X)
    recalled, _ = machine.modes(corrupted(rng, patterns, 0.1))
    assert_array_equal(recalled, patterns)


def test_recall_that_is_cut_short_warns(rng):
    patterns = patterns_of(rng, 10, 100)
    network = HopfieldNetwork(states="spin", recall_max_iter=1).fit(patterns)
    with pytest.warns(
        ConvergenceWarning, match=r"of 10 rows have not settled in recall_max_iter=1"
    ):
        network.recall(corrupted(rng, patterns, 0.3))


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({}, [[0.0, -1.0]], "With states='bits' X must hold 0 and 1, got values from -1 to 0"),
        ({"states": "spin"}, [[0.0, 1.0]], "With states='spin' X must hold -1 and 1"),
        ({"rule": "sanger"}, [[0.0, 1.0]], "'rule' parameter of HopfieldNetwork"),
    ],
)
def test_bad_input_is_named(parameters, X, message):
    with pytest.raises(ValueError, match=message):
        HopfieldNetwork(**parameters).fit(X)


def test_a_mask_of_another_shape_is_refused():
    network = HopfieldNetwork().fit([[0, 1, 1]])
    with pytest.raises(ValueError, match=r"free must be a mask of shape \(3,\) or \(1, 3\)"):
        network.recall([[0, 1, 1]], free=[True, False])
