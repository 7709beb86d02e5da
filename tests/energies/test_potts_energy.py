"""The energy of Markov random fields: two states by all the shared checks, more by enumeration."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from sklvm.energies import PottsEnergy
from sklvm.graphs import SiteGraph, grid_graph
from sklvm.testing import EnergyTestCase, random_parameters


class TestPottsEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=["grid", "homogeneous", "lattice", "triangle with a tail"])
    def _kind(self, request):
        self.kind = request.param

    def make(self):
        rng = np.random.default_rng(4)
        graph = grid_graph((2, 3), 8)
        if self.kind == "triangle with a tail":
            graph = SiteGraph(5, [(0, 1), (1, 2), (2, 0), (2, 3)])
        if self.kind == "lattice":
            graph = grid_graph((2, 3))
        energy = PottsEnergy(graph, homogeneous=self.kind in ("homogeneous", "lattice"))
        X = (rng.random((12, graph.n_sites)) < 0.5).astype(np.float64)
        return energy, random_parameters(energy, rng), X


@pytest.fixture
def three_states(rng):
    """An energy of 2 × 3 sites with 3 states, θ, all states and log p̃ by its own sum."""
    graph = grid_graph((2, 3))
    energy = PottsEnergy(graph, 3)
    theta = rng.standard_normal(energy.layout.size)
    J, b = energy.layout.views(theta).values()
    states = np.array(list(product(range(3), repeat=6)), dtype=float)
    log_p = np.zeros(len(states))
    for i, x in enumerate(states.astype(int)):
        log_p[i] += sum(j for j, (s, t) in zip(J, graph.edges, strict=True) if x[s] == x[t])
        log_p[i] += sum(b[s, a - 1] for s, a in enumerate(x) if a > 0)
    return energy, theta, states, log_p


def test_three_states_have_the_energies_and_the_log_partition_of_enumeration(three_states):
    energy, theta, states, log_p = three_states
    assert_allclose(energy.evaluate(theta, states)[0], -log_p)
    log_z, gradient = energy.log_partition_and_gradient(theta)
    assert log_z == pytest.approx(logsumexp(log_p))
    p = np.exp(log_p - logsumexp(log_p))
    assert_allclose(gradient, -energy.evaluate(theta, states)[1](p), atol=1e-12)


def test_site_logits_of_three_states_are_differences_of_energies(three_states):
    energy, theta, states, log_p = three_states
    rows = slice(0, 729, 37)
    logits, _ = energy.site_logits(theta, states[rows])
    number = {tuple(x): value for x, value in zip(states, log_p, strict=True)}
    for x, t in zip(states[rows], logits, strict=True):
        for s, state in product(range(6), range(3)):
            other, zero = x.copy(), x.copy()
            other[s], zero[s] = state, 0
            assert t[s, state] - t[s, 0] == pytest.approx(
                number[tuple(other)] - number[tuple(zero)]
            )


@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_sweeps_of_three_states_leave_the_model_unchanged(three_states, rng, beta):
    energy, theta, states, _ = three_states
    theta_0 = energy.tempered_start(states)
    at_beta = energy.temper(theta_0, theta, beta)
    p = np.exp(-energy.evaluate(at_beta, states)[0] - energy.log_partition(at_beta))
    start = states[rng.choice(729, 20_000, p=p)]
    state = energy.start(theta, start, 0)
    for _ in range(3):
        state, _ = energy.sweep(theta, state, tempering=(theta_0, beta) if beta < 1 else None)
    powers = 3 ** np.arange(5, -1, -1)
    counts = np.bincount((state.visible @ powers).astype(int), minlength=729)
    order = np.argsort(p)[::-1]
    # Rare states are counted together.
    edges = np.r_[np.arange(100), 100]
    expected, seen = (np.add.reduceat(values[order], edges) for values in (20_000 * p, counts))
    assert ((seen - expected) ** 2 / expected).sum() < 100 + 5 * np.sqrt(200)


def test_what_is_no_state_is_refused(three_states):
    energy, theta, states, _ = three_states
    for wrong in (states[:2] + 0.5, states[:2] - 1, states[-2:] + 1):
        with pytest.raises(ValueError, match="states 0 to 2, got values from"):
            energy.evaluate(theta, wrong)


def test_a_wide_grid_has_no_exact_sum():
    energy = PottsEnergy(grid_graph((20, 20)))
    assert energy.n_terms == 2**400
    with pytest.raises(ValueError, match="400 sites would take tables of more than 16384"):
        energy.log_partition(np.zeros(energy.layout.size))
