"""Sites summed out one by one, against enumeration and known values of the Ising model."""

import numpy as np
import pytest

from sklvm.graphs import SiteGraph, grid_graph
from sklvm.random_fields.inference import Exact, PairwiseModel


def ising(shape, J, h=0.0):
    """−E = h Σ s + J Σ s s on a grid with free borders."""
    spins = np.array([-1.0, 1.0])
    graph = grid_graph(shape)
    return PairwiseModel(
        np.tile(-h * spins, (graph.n_sites, 1)), graph, -J * np.outer(spins, spins)
    )


@pytest.mark.parametrize(
    ("shape", "J", "h", "log_z"),
    [
        ((4, 4), 0.4, 0.0, 13.186573),
        ((4, 4), 0.4, 0.1, 13.557199),
        ((3, 5), 0.7, -0.2, 18.745244),
        ((8, 8), 0.4, 0.0, 54.443626),
        ((14, 14), 0.4, 0.0, 169.088522),
        ((10, 10), 0.44068679, 0.0, 89.692348),
    ],
)
def test_log_z_of_ising_lattices_is_that_of_the_transfer_matrix(shape, J, h, log_z):
    assert Exact().marginals(ising(shape, J, h)).log_partition == pytest.approx(log_z, abs=1e-6)


def test_a_long_strip_has_the_free_energy_of_the_transfer_matrix():
    """log Z grows by the log of the greatest eigenvalue with each column."""
    J, width = 0.5, 4
    spins = 1 - 2 * ((np.arange(2**width)[:, np.newaxis] >> np.arange(width)) & 1)
    within = J * (spins[:, :-1] * spins[:, 1:]).sum(axis=1)
    transfer = np.exp(J * spins @ spins.T + (within[:, np.newaxis] + within) / 2)
    log_z = [Exact().marginals(ising((n, width), J)).log_partition for n in (60, 61)]
    assert log_z[1] - log_z[0] == pytest.approx(np.log(np.linalg.eigvalsh(transfer)[-1]), abs=1e-10)


@pytest.mark.parametrize("neighbourhood", [4, 8])
@pytest.mark.parametrize(
    ("shape", "n_labels"), [((3, 3), 2), ((2, 3), 3), ((1, 5), 4), ((1, 1), 3)]
)
def test_all_is_as_by_enumeration(random_grid, enumerated, shape, n_labels, neighbourhood):
    model = random_grid(shape, n_labels, neighbourhood)
    truth, found = enumerated(model), Exact().marginals(model)
    assert found.bound == "exact"
    assert found.log_partition == pytest.approx(truth.log_z, rel=1e-12)
    np.testing.assert_allclose(found.sites, truth.sites, atol=1e-12)
    np.testing.assert_allclose(found.edges, truth.edges, atol=1e-12)
    np.testing.assert_array_equal(Exact().labels(model), truth.best)
    np.testing.assert_allclose(model.energy(truth.states), truth.energies)


def test_a_tree_and_parts_that_are_not_connected(rng, enumerated):
    edges = [(0, 3), (3, 1), (3, 4), (2, 5), (5, 6)]
    model = PairwiseModel(
        rng.standard_normal((8, 2)), edges, rng.standard_normal((5, 2, 2)), rng.random(5)
    )
    truth, found = enumerated(model), Exact(max_states=2).marginals(model)
    assert found.log_partition == pytest.approx(truth.log_z)
    np.testing.assert_allclose(found.sites, truth.sites, atol=1e-12)
    np.testing.assert_allclose(found.edges, truth.edges, atol=1e-12)
    np.testing.assert_array_equal(Exact().labels(model), truth.best)


def test_draws_have_the_probabilities_of_the_field(random_grid, enumerated, rng):
    model = random_grid((2, 3))
    truth = enumerated(model)
    draws = Exact().sample(model, 20_000, rng)
    counts = np.bincount(draws @ 2 ** np.arange(5, -1, -1), minlength=64)
    p = np.exp(-truth.energies - truth.log_z)
    chi2 = ((counts - 20_000 * p) ** 2 / (20_000 * p)).sum()
    assert chi2 < 63 + 4 * np.sqrt(2 * 63)


def test_forbidden_labels_do_not_break_it(enumerated):
    model = PairwiseModel([[0, 800.0]] * 4, [(0, 1), (1, 2), (2, 3)], [[900.0, 0], [0, 900.0]])
    truth, found = enumerated(model), Exact().marginals(model)
    assert found.log_partition == pytest.approx(truth.log_z)
    np.testing.assert_allclose(found.sites, truth.sites, atol=1e-9)


def test_what_is_too_wide_is_refused(random_grid):
    with pytest.raises(ValueError, match=r"max_states=64 states on this graph of 64 sites"):
        Exact(max_states=64).marginals(random_grid((8, 8), 2))


def test_graphs_that_are_none_are_refused():
    with pytest.raises(ValueError, match="join sites 0 to 2, got 0 to 3"):
        SiteGraph(3, [(0, 3)])
    with pytest.raises(ValueError, match=r"join different sites, got \[1, 1\]"):
        SiteGraph(3, [(1, 1)])
    with pytest.raises(ValueError, match=r"got \[0, 1\] more than once"):
        SiteGraph(3, [(0, 1), (1, 0)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [(0, 1)], np.eye(2)), r"unary must have shape \(n_sites, n_labels\)"),
        (([[0, np.inf]] * 2, [(0, 1)], np.eye(2)), "unary must be finite"),
        (([[0, 1]] * 2, [(0, 1)], np.eye(3)), r"tables must have shape \(2, 2\)"),
        (([[0, 1]] * 2, [(0, 1)], np.eye(2), [1, 2]), r"weights must have shape \(1,\)"),
        (([[0, 1]] * 2, grid_graph((2, 2)), np.eye(2)), "2 sites, and the graph of the edges 4"),
    ],
)
def test_models_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PairwiseModel(*arguments)
