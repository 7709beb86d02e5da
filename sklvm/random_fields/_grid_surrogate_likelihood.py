"""The likelihood of label images with log Z and its gradient by an inference that is not exact."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklvm.random_fields._grid_likelihood import clamped
from sklvm.random_fields.inference import PairwiseModel

__all__ = ["GridSurrogateLikelihood"]

# In place of what is forbidden, a cost next to which messages still tell others apart.
_LARGE = 500.0


class GridSurrogateLikelihood:
    """−Σ w (−E(y; x) − log Z̃(x)) / Σ w n_s, log Z̃ a bound or an approximation of log Z.

    The marginals that come with log Z̃ are its gradient in the potentials, once the inference has
    converged. By tree-reweighted belief propagation it is a convex bound of the likelihood.
    Unlabelled sites have log Z̃ of the field in which the labelled ones are fixed in place of −E.

    Wainwright, "Estimating the 'wrong' graphical model", JMLR 7 (2006); Domke, "Learning graphical
    model parameters with approximate marginal inference", IEEE Trans. Pattern Anal. Mach. Intell.
    35 (2013).

    Parameters
    ----------
    potentials : GridPotentials
    inference : Inference
        With marginals and log Z.
    features, edge_features, labels, weights
        See :class:`GridPseudoLikelihood`.
    """

    def __init__(self, potentials, inference, features, edge_features, labels, weights):
        self._potentials, self._inference = potentials, inference
        self._features, self._edge_features = features, edge_features
        self._labels = labels
        self._starts = {}
        self._weights = weights / (weights @ (labels >= 0).sum(axis=1))

    def __call__(self, theta):
        p = self._potentials
        value, gradient = 0.0, np.zeros_like(theta)
        shared = len(self._edge_features) == 1
        for i in np.flatnonzero(self._weights):
            row = slice(i, i + 1)
            edge_features = self._edge_features if shared else self._edge_features[row]
            model = p.model(theta, self._features[i], edge_features[0])
            found = self._marginals(model, i, 0)
            if np.all(self._labels[i] >= 0):
                known_sites, known_edges = _one_hot(self._labels[i], p)
                known = -float(model.energy(self._labels[i]))
            else:
                unary = np.minimum(clamped(model.unary, self._labels[i]), model.unary + _LARGE)
                tables = model.tables[0] if len(model.tables) == 1 else model.tables
                fixed = self._marginals(PairwiseModel(unary, p.graph, tables, model.weights), i, 1)
                known, known_sites, known_edges = fixed.log_partition, fixed.sites, fixed.edges
            value -= self._weights[i] * (known - found.log_partition)
            gradient -= self._weights[i] * p.gradient(
                self._features[row],
                (known_sites - found.sites)[np.newaxis],
                edge_features,
                (known_edges - found.edges)[np.newaxis],
            )
        return value, gradient

    def _marginals(self, model, image, phase):
        """From where the last ones of the image, for other parameters, ended."""
        options = {}
        if self._starts.get((image, phase)) is not None:
            options["start"] = self._starts[image, phase]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = self._inference.marginals(model, **options)
        self._starts[image, phase] = found.state
        return found


def _one_hot(labels, potentials):
    """Marginals of labels that are known."""
    n_labels, edges = potentials.n_labels, potentials.graph.edges
    sites = np.eye(n_labels)[labels]
    return sites, sites[edges[:, 0]][:, :, np.newaxis] * sites[edges[:, 1]][:, np.newaxis]
