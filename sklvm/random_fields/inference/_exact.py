"""Exact inference."""

from math import floor, log
from numbers import Integral

import numpy as np

from sklvm._compat import Interval
from sklvm.graphs import find_elimination
from sklvm.random_fields.inference._base import Inference
from sklvm.random_fields.inference._pairwise_model import Marginals

__all__ = ["Exact"]


class Exact(Inference):
    """Exact log Z, marginals and labels of least energy, on chains, trees, strips, small graphs.

    Sites are summed out one by one; each joins those of its neighbours that are left in one table.
    A chain or a tree takes tables of two sites, a strip the transfer matrix over its width.

    Parameters
    ----------
    max_states : int, default=2**14
        The most states of the sites that a site may be joined to. Two labels: strips of up to 14
        sites across.

    Examples
    --------
    >>> from sklvm.random_fields.inference import Exact, PairwiseModel
    >>> model = PairwiseModel([[0, 1.5], [0, 1.5], [3, 0]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> Exact().labels(model)
    array([0, 0, 1])
    >>> marginals = Exact().marginals(model)
    >>> marginals.bound, round(marginals.log_partition, 4)
    ('exact', -1.3048)
    """

    _parameter_constraints = {"max_states": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, max_states=2**14):
        self.max_states = max_states

    def labels(self, model, random_state=None):
        unary, tables = _batch_of_one(model)
        return self.elimination(model.graph, model.n_labels).best(unary, tables)[0]

    def marginals(self, model, random_state=None):
        elimination = self.elimination(model.graph, model.n_labels)
        log_z, sites, edges = elimination.marginals(*_batch_of_one(model))
        return Marginals(sites[0], edges[0], float(log_z[0]), "exact")

    def sample(self, model, n_samples, rng):
        """Independent draws of the labels, of shape (n_samples, n_sites)."""
        elimination = self.elimination(model.graph, model.n_labels)
        return elimination.sample(*_batch_of_one(model), n_samples, rng)

    def find(self, graph, n_labels):
        """The order to sum out the sites of a graph, or None where it has none within bounds."""
        # One label costs nothing, whatever the graph; two keep the width finite.
        return find_elimination(graph, floor(log(self.max_states) / log(max(2, n_labels)) + 1e-9))

    def elimination(self, graph, n_labels):
        """As ``find``, but a ``ValueError`` where there is none."""
        elimination = self.find(graph, n_labels)
        if elimination is None:
            raise ValueError(
                f"Exact inference takes tables of more than max_states={self.max_states} states on "
                f"this graph of {graph.n_sites} sites with {n_labels} labels. BeliefPropagation, "
                "MeanField, GraphCut and GibbsSampling do without."
            )
        return elimination


def _batch_of_one(model):
    return model.unary[np.newaxis], model.edge_tables()[np.newaxis]
