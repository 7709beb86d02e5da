"""Belief propagation and mean field: exact on trees, bounds elsewhere, the same for any threads."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklvm.graphs import SiteGraph, edge_appearances, grid_graph
from sklvm.kernels import chain_marginals
from sklvm.random_fields.inference import BeliefPropagation, Exact, MeanField, PairwiseModel


def test_belief_propagation_is_exact_on_a_tree(rng, enumerated):
    edges = [(0, 3), (3, 1), (3, 4), (2, 5), (5, 6), (5, 3)]
    model = PairwiseModel(
        rng.standard_normal((8, 3)), edges, rng.standard_normal((6, 3, 3)), 2 * rng.random(6)
    )
    truth = enumerated(model)
    for method in (BeliefPropagation(tol=1e-12), BeliefPropagation(True, tol=1e-12)):
        found = method.marginals(model)
        assert found.converged
        assert found.log_partition == pytest.approx(truth.log_z)
        np.testing.assert_allclose(found.sites, truth.sites, atol=1e-10)
        np.testing.assert_allclose(found.edges, truth.edges, atol=1e-10)
        np.testing.assert_array_equal(method.labels(model), truth.best)


def test_on_a_chain_it_is_forward_backward(rng):
    u, A = rng.standard_normal((40, 3)), rng.standard_normal((3, 3))
    exact = chain_marginals(u, A, [0, 40])
    chain = PairwiseModel(-u, [(t, t + 1) for t in range(39)], -A)
    found = BeliefPropagation(tol=1e-12).marginals(chain)
    np.testing.assert_allclose(found.sites, exact.marginals, atol=1e-10)
    np.testing.assert_allclose(found.edges.sum(axis=0), exact.pair_sums, atol=1e-9)
    assert found.log_partition == pytest.approx(exact.log_partition[0])


def test_two_sites_in_closed_form():
    """Ising: P(s₁ = s₂) = 1 / (1 + e^(−2J))."""
    J = 0.7
    model = PairwiseModel(np.zeros((2, 2)), [(0, 1)], [[-J, J], [J, -J]])
    for method in (Exact(), BeliefPropagation()):
        marginals = method.marginals(model)
        assert np.trace(marginals.edges[0]) == pytest.approx(1 / (1 + np.exp(-2 * J)))
        assert marginals.log_partition == pytest.approx(np.log(4 * np.cosh(J)))


@pytest.mark.parametrize("kind", ["tables", "potts"])
def test_bounds_enclose_log_z_on_random_grids(random_grid, kind):
    for trial in range(50):
        shape, n_labels = [((3, 4), 2), ((4, 4), 2), ((3, 3), 3)][trial % 3]
        neighbourhood = (4, 8)[trial % 2]
        model = random_grid(shape, n_labels, neighbourhood, kind, scale=(0.3, 1.0)[trial % 2])
        exact = Exact().marginals(model).log_partition
        lower = MeanField().marginals(model)
        upper = BeliefPropagation(True, damping=0.5, tol=1e-8, max_iter=5000).marginals(model)
        assert (lower.bound, upper.bound) == ("lower", "upper")
        assert lower.log_partition <= exact + 1e-9
        assert upper.log_partition >= exact - 1e-6


def test_the_mean_field_is_a_fixed_point(random_grid):
    model = random_grid((5, 6), 3, scale=0.5)
    q = MeanField(tol=1e-12).marginals(model).sites
    for s in range(model.n_sites):
        energies = model.unary[s].copy()
        for e, (i, j) in enumerate(model.graph.edges):
            table = model.tables[e]
            energies += (i == s) * (table @ q[j]) + (j == s) * (q[i] @ table)
        p = np.exp(-energies)
        np.testing.assert_allclose(q[s], p / p.sum(), atol=1e-10)


def test_the_mean_field_of_spins_is_that_of_the_hyperbolic_tangent():
    J, h = 0.3, 0.2
    graph = grid_graph((6, 6))
    spins = np.array([-1.0, 1.0])
    model = PairwiseModel(np.tile(-h * spins, (36, 1)), graph, -J * np.outer(spins, spins))
    m = MeanField(tol=1e-12).marginals(model).sites @ spins
    around = np.bincount(graph.edges.ravel(), m[graph.edges[:, ::-1].ravel()])
    np.testing.assert_allclose(m, np.tanh(h + J * around), atol=1e-10)


def test_the_mean_field_leaves_the_saddle_where_all_labels_are_alike():
    spins = np.array([-1.0, 1.0])
    model = PairwiseModel(np.zeros((64, 2)), grid_graph((8, 8)), -np.outer(spins, spins))
    found = MeanField().marginals(model)
    assert np.all(np.abs(found.sites @ spins) > 0.9)
    assert found.log_partition > 64 * np.log(2) + 1


def test_max_product_finds_the_labels_of_least_energy_where_they_are_clear(random_grid):
    """With strong unary costs there is nothing for loops to spoil."""
    for _ in range(10):
        model = random_grid((4, 4), 2, kind="potts")
        model.unary *= 3
        found = BeliefPropagation(damping=0.3).labels(model)
        assert model.energy(found) == pytest.approx(model.energy(Exact().labels(model)))


def test_the_bits_are_the_same_for_every_thread_count(random_grid):
    model = random_grid((70, 60), 3, 8, scale=0.2)
    for method in (MeanField(), BeliefPropagation(), BeliefPropagation(True)):
        one, two = (method.marginals(model, n_threads=n) for n in (1, 2))
        np.testing.assert_array_equal(one.sites, two.sites)
        assert one.log_partition == two.log_partition


@pytest.mark.parametrize("shape", [(2, 2), (4, 5), (21, 22)])
@pytest.mark.parametrize("neighbourhood", [4, 8])
def test_edges_are_part_of_as_many_trees_as_add_up(shape, neighbourhood):
    """Every spanning tree has n − 1 edges."""
    graph = grid_graph(shape, neighbourhood)
    shares = edge_appearances(graph)
    assert shares.sum() == pytest.approx(graph.n_sites - 1)
    assert 0 < shares.min() and shares.max() <= 1


def test_an_edge_without_which_the_graph_falls_apart_is_part_of_all_trees():
    shares = edge_appearances(SiteGraph(5, [(0, 1), (1, 2), (2, 0), (2, 3)]))
    np.testing.assert_allclose(shares, [2 / 3, 2 / 3, 2 / 3, 1])


def test_sites_without_neighbours(enumerated, rng):
    model = PairwiseModel(rng.standard_normal((3, 2)), [], np.zeros((2, 2)))
    truth = enumerated(model)
    for method in (Exact(), MeanField(), BeliefPropagation(), BeliefPropagation(True)):
        found = method.marginals(model)
        np.testing.assert_allclose(found.sites, truth.sites)
        assert found.log_partition == pytest.approx(truth.log_z)


@pytest.mark.parametrize("method", [MeanField(max_iter=1), BeliefPropagation(max_iter=1)])
def test_too_few_sweeps_are_told(random_grid, method):
    with pytest.warns(ConvergenceWarning, match="did not converge in max_iter=1 sweeps"):
        assert not method.marginals(random_grid((5, 5))).converged
