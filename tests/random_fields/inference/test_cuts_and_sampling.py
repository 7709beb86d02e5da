"""Graph cuts, iterated conditional modes and Gibbs sampling, against enumeration."""

import numpy as np
import pytest

from sklvm.graphs import grid_graph
from sklvm.random_fields.inference import (
    Exact,
    GibbsSampling,
    GraphCut,
    IteratedConditionalModes,
    PairwiseModel,
)


@pytest.mark.parametrize("neighbourhood", [4, 8])
def test_a_cut_has_the_least_energy(random_grid, enumerated, neighbourhood):
    for _ in range(20):
        model = random_grid((3, 4), 2, neighbourhood, "potts")
        truth = enumerated(model)
        assert model.energy(GraphCut().labels(model)) == pytest.approx(truth.energies.min())


def test_submodular_tables_need_not_be_symmetric(rng, enumerated):
    graph = grid_graph((3, 4))
    for _ in range(20):
        tables = rng.standard_normal((graph.n_edges, 2, 2))
        tables[:, 1, 1] = tables[:, 0, 1] + tables[:, 1, 0] - tables[:, 0, 0] - rng.random(17)
        model = PairwiseModel(2 * rng.standard_normal((12, 2)), graph, tables)
        truth = enumerated(model)
        assert model.energy(GraphCut().labels(model)) == pytest.approx(truth.energies.min())


def test_expansions_end_within_twice_the_least_energy_and_mostly_at_it(random_grid, enumerated):
    n_best = 0
    for _ in range(20):
        model = random_grid((3, 3), 3, 8, "potts")
        model.unary -= model.unary.min(axis=1, keepdims=True)  # all costs at least 0
        energy, least = model.energy(GraphCut().labels(model)), enumerated(model).energies.min()
        assert least - 1e-9 <= energy <= 2 * least
        n_best += energy < least + 1e-9
    assert n_best >= 15


def test_what_is_not_submodular_is_refused_by_name(rng):
    graph = grid_graph((1, 3))
    tables = np.array([[[0, 1], [1, 0]], [[1.0, 0], [0, 1.5]]])
    with pytest.raises(ValueError, match=r"submodular.*Edge \(1, 2\) exceeds that by 2.5"):
        GraphCut().labels(PairwiseModel(np.zeros((3, 2)), graph, tables))
    with pytest.raises(ValueError, match="submodular"):
        GraphCut().labels(PairwiseModel(np.zeros((3, 3)), graph, 1 - np.eye(3), [1, -1]))
    # |a − b|² over three labels is no metric.
    squares = np.square(np.subtract.outer(range(3), range(3)))
    with pytest.raises(ValueError, match=r"a=0, b=2, c=1|a=2, b=0, c=1"):
        GraphCut().labels(PairwiseModel(np.zeros((3, 3)), graph, squares))


def test_no_single_site_can_lower_the_energy_after_iterated_conditional_modes(random_grid):
    model = random_grid((6, 7), 3, 8)
    labels = IteratedConditionalModes().labels(model)
    energy = model.energy(labels)
    assert energy < model.energy(model.unary.argmin(axis=1))
    for s in range(model.n_sites):
        for label in range(3):
            other = labels.copy()
            other[s] = label
            assert model.energy(other) >= energy - 1e-12


def test_gibbs_marginals_are_those_of_enumeration(random_grid, enumerated):
    for n_labels in (2, 3):
        model = random_grid((2, 3), n_labels, scale=0.7)
        found = GibbsSampling(4000, n_chains=2).marginals(model, random_state=0)
        np.testing.assert_allclose(found.sites, enumerated(model).sites, atol=0.03)
        np.testing.assert_allclose(found.sites.sum(axis=1), 1)


def test_chains_end_at_the_distribution_of_the_field(random_grid, enumerated):
    model = random_grid((2, 2), 2)
    draws = GibbsSampling(n_sweeps=30, n_burn_in=0).sample(model, 4000, random_state=0)
    counts = np.bincount(draws @ [8, 4, 2, 1], minlength=16)
    truth = enumerated(model)
    p = 4000 * np.exp(-truth.energies - truth.log_z)
    assert ((counts - p) ** 2 / p).sum() < 15 + 4 * np.sqrt(30)


def test_a_chain_that_cools_down_finds_the_least_energy(random_grid):
    for _ in range(5):
        model = random_grid((4, 4), 2)
        labels = GibbsSampling(500).labels(model, random_state=0)
        assert model.energy(labels) == pytest.approx(model.energy(Exact().labels(model)))


def test_coupled_sites_are_never_drawn_at_once():
    """Two spins with J = 1: E[s₁ s₂] = tanh 1, where a common block would give about 0."""
    model = PairwiseModel(np.zeros((2, 2)), [(0, 1)], [[-1, 1], [1, -1]])
    assert len(set(model.graph.colours)) == 2
    draws = GibbsSampling(n_sweeps=20, n_burn_in=0).sample(model, 4000, random_state=0)
    assert np.mean(draws[:, 0] == draws[:, 1]) == pytest.approx((1 + np.tanh(1)) / 2, abs=0.03)


def test_the_bits_are_the_same_for_every_thread_count(random_grid):
    model = random_grid((70, 60), 3, 8)
    for run in (
        lambda n: GibbsSampling(5, 2).marginals(model, 0, n).sites,
        lambda n: GibbsSampling(5, 2).labels(model, 0, n),
        lambda n: IteratedConditionalModes().improve(model, model.unary.argmin(axis=1), n),
    ):
        np.testing.assert_array_equal(run(1), run(2))


def test_methods_that_find_labels_alone_say_so(random_grid):
    for method in (GraphCut(), IteratedConditionalModes()):
        with pytest.raises(ValueError, match="finds labels, and no probabilities"):
            method.marginals(random_grid())
