"""Energies of Boltzmann machines: the shared checks, special cases, spins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import (
    BernoulliRBMEnergy,
    BoltzmannMachineEnergy,
    HiddenBoltzmannMachineEnergy,
    PairCouplings,
    PottsEnergy,
)
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


class TestHiddenBoltzmannMachineEnergy(EnergyTestCase):
    @pytest.fixture(
        autouse=True,
        params=[(4, 3, None), (4, 1, SiteGraph(4, [(0, 3)]))],
        ids=["three hidden", "one hidden"],
    )
    def _shape(self, request):
        self.shape = request.param

    def make(self):
        rng = np.random.default_rng(4)
        energy = HiddenBoltzmannMachineEnergy(*self.shape)
        X = (rng.random((12, 4)) < 0.5).astype(np.float64)
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


def test_without_couplings_within_a_layer_it_is_the_restricted_machine(rng):
    rbm, machine = BernoulliRBMEnergy(5, 3), HiddenBoltzmannMachineEnergy(5, 3)
    theta = random_parameters(rbm, rng)
    W, a, b = rbm.layout.views(theta).values()
    other = machine.layout.pack(
        coupling=0.0, visible_bias=a, weights=W, hidden_coupling=0.0, hidden_bias=b
    )
    X = (rng.random((10, 5)) < 0.5).astype(float)
    assert_allclose(machine.evaluate(other, X)[0], rbm.evaluate(theta, X)[0])
    assert_allclose(machine.posterior(other, X), rbm.posterior(theta, X))
    assert_allclose(machine.flip_logits(other, X)[0], rbm.flip_logits(theta, X)[0])
    assert machine.log_partition(other) == pytest.approx(rbm.log_partition(theta))


def test_hidden_units_that_are_not_coupled_with_the_rest_change_log_z_alone(rng):
    visible, machine = BoltzmannMachineEnergy(4), HiddenBoltzmannMachineEnergy(4, 2)
    theta = random_parameters(visible, rng)
    J, b = visible.layout.views(theta).values()
    other = machine.layout.pack(
        coupling=J, visible_bias=b, weights=0.0, hidden_coupling=[0.7], hidden_bias=[0.2, -0.4]
    )
    X = (rng.random((10, 4)) < 0.5).astype(float)
    summed = np.log(1 + np.exp(0.2) + np.exp(-0.4) + np.exp(0.2 - 0.4 + 0.7))
    assert_allclose(machine.evaluate(other, X)[0], visible.evaluate(theta, X)[0] - summed)
    assert machine.log_partition(other) == pytest.approx(visible.log_partition(theta) + summed)


def test_more_hidden_units_than_can_be_summed_out_are_refused():
    with pytest.raises(ValueError, match="n_components must be from 1 to 12, got 13"):
        HiddenBoltzmannMachineEnergy(4, 13)
