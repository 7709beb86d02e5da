"""Small fields, and what enumeration says of them."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import logsumexp

from sklvm.graphs import grid_graph
from sklvm.random_fields.inference import PairwiseModel


def enumerate_labels(model):
    """Every labelling, its energy by its own sum, log Z and the marginals."""
    states = np.array(list(product(range(model.n_labels), repeat=model.n_sites)))
    tables = np.broadcast_to(model.tables, (model.graph.n_edges, *model.tables.shape[1:]))
    energies = model.unary[np.arange(model.n_sites), states].sum(axis=1)
    for (s, t), table, weight in zip(model.graph.edges, tables, model.weights, strict=True):
        energies = energies + weight * table[states[:, s], states[:, t]]
    log_z = logsumexp(-energies)
    p = np.exp(-energies - log_z)
    one_hot = np.eye(model.n_labels)[states]
    pairs = np.einsum(
        "n,nea,neb->eab",
        p,
        one_hot[:, model.graph.edges[:, 0]],
        one_hot[:, model.graph.edges[:, 1]],
    )
    return SimpleNamespace(
        states=states,
        energies=energies,
        log_z=log_z,
        sites=np.einsum("n,nsa->sa", p, one_hot),
        edges=pairs,
        best=states[energies.argmin()],
    )


@pytest.fixture
def enumerated():
    return enumerate_labels


@pytest.fixture
def random_grid(rng):
    """A factory of random fields on grids, with a table a edge or Potts of random weights."""

    def make(shape=(3, 3), n_labels=2, neighbourhood=4, kind="tables", scale=1.0):
        graph = grid_graph(shape, neighbourhood)
        unary = scale * rng.standard_normal((graph.n_sites, n_labels))
        if kind == "tables":
            tables = scale * rng.standard_normal((graph.n_edges, n_labels, n_labels))
            return PairwiseModel(unary, graph, tables)
        tables = 1 - np.eye(n_labels)
        weights = scale * rng.random(graph.n_edges)
        return PairwiseModel(unary, graph, tables, weights)

    return make
