"""Energies of Boltzmann machines: the shared checks, special cases, spins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import BoltzmannMachineEnergy, PairCouplings, PottsEnergy
from sklvm.graphs import SiteGraph, grid_graph
from sklvm.testing import EnergyTestCase, random_parameters

GRAPHS = {
    "all pairs": lambda: None,
    "some pairs": lambda: SiteGraph(6, [(0, 1), (1, 2), (2, 0), (3, 1), (4, 5), (2, 4), (0, 5)]),
    "few pairs": lambda: SiteGraph(6, [(0, 5), (4, 1)]),
}


class TestBoltzmannMachineEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=sorted(GRAPHS))
    def _graph(self, request):
        self.graph = GRAPHS[request.param]()

    def make(self):
        rng = np.random.default_rng(4)
        energy = BoltzmannMachineEnergy(6, self.graph)
        X = (rng.random((12, 6)) < 0.5).astype(np.float64)
        return energy, random_parameters(energy, rng), X


@pytest.mark.parametrize("kind", sorted(GRAPHS))
def test_couplings_are_those_of_the_dense_matrix(kind, rng):
    couplings = PairCouplings(6, GRAPHS[kind]())
    pairs = np.triu_indices(6, 1) if couplings.graph is None else couplings.graph.edges.T
    values, X, V = rng.standard_normal(len(pairs[0])), rng.random((5, 6)), rng.random((5, 6))
    J = np.zeros((6, 6))
    J[tuple(pairs)] = values
    J += J.T
    assert_array_equal(couplings.matrix(values), J)
    assert_allclose(couplings.products(values, X), X @ J)
    both = V.T @ X + X.T @ V
    assert_allclose(couplings.pull(V, X), both[tuple(pairs)])
    square = (V[:, :1] * X).T @ X
    assert_allclose(couplings.pull_square(V[:, 0], X), square[tuple(pairs)])


def test_on_a_graph_it_is_the_ising_model(rng):
    # J [x_s = x_t] is J (1 − x_s − x_t + 2 x_s x_t).
    graph = grid_graph((2, 3))
    potts, machine = PottsEnergy(graph), BoltzmannMachineEnergy(6, graph)
    J, b = rng.standard_normal(graph.n_edges), rng.standard_normal(6)
    at_each_site = np.bincount(graph.edges.ravel(), np.repeat(J, 2), minlength=6)
    theta = machine.layout.pack(coupling=2 * J, visible_bias=b - at_each_site)
    X = (rng.random((20, 6)) < 0.5).astype(float)
    other = potts.layout.pack(coupling=J, biases=b[:, np.newaxis])
    assert_allclose(machine.evaluate(theta, X)[0] - J.sum(), potts.evaluate(other, X)[0])
    assert machine.log_partition(theta) + J.sum() == pytest.approx(potts.log_partition(other))


def test_inputs_that_go_on_are_those_that_are_computed_anew(rng):
    energy = BoltzmannMachineEnergy(40)
    theta = random_parameters(energy, rng, 0.3)
    state = energy.start(theta, (rng.random((10, 40)) < 0.5).astype(float), 0)
    for _ in range(70):
        state, _ = energy.sweep(theta, state)
    J = energy.couplings.matrix(energy.layout.views(theta)["coupling"])
    assert_allclose(state.cache.inputs, state.visible @ J, atol=1e-10)
    # Another θ is noticed.
    other, _ = energy.sweep(2 * theta, state)
    assert_allclose(other.cache.inputs, other.visible @ (2 * J), atol=1e-10)
