"""What all checks of an energy stand on: the model under test, and what it can do."""

import unittest

import numpy as np

from sklvm.energies import (
    Bound,
    DirectionalCurvature,
    ExactPosterior,
    Joint,
    Laplacian,
    Marginal,
    Score,
    SiteConditionals,
)
from sklvm.testing._exact_distribution import ExactDistribution
from sklvm.testing._seeded import Seeded

__all__ = ["EnergyChecks", "pulled_back", "row_values"]


class EnergyChecks(Seeded):
    """Base of the groups of checks: one group for each capability."""

    def make(self):
        """The model under test; the one method that a subclass has to give.

        Returns
        -------
        energy : energy
        theta : ndarray of shape (energy.layout.size,)
            Float64, away from any symmetry.
        X : ndarray of shape (n, d)
            A dozen float64 rows, no two alike.
        """
        raise NotImplementedError

    def make_small(self):
        """The same with at most 2 real or 12 binary features, for sums over all of space."""
        return self.make()

    def model(self, *capabilities):
        """``make()``; the test is skipped where the energy lacks one of the capabilities."""
        return _skip_unless_able(self.make(), capabilities)

    def small_model(self, *capabilities):
        """``make_small()`` and its ``ExactDistribution``; skipped where it is not small, too."""
        energy, theta, X = _skip_unless_able(self.make_small(), capabilities)
        if not ExactDistribution.exists(energy):
            raise unittest.SkipTest(f"make_small() has {energy.n_features} features")
        return energy, theta, X, ExactDistribution(energy, theta, X)


def _skip_unless_able(model, capabilities):
    energy = model[0]
    for protocol in capabilities:
        if not isinstance(energy, protocol):
            name = type(energy).__name__
            raise unittest.SkipTest(f"{name} does not have the {protocol.__name__} capability")
    return model


def row_values(energy, theta, X):
    """All that the energy tells of each row, by name: arrays whose first axis is the rows'."""
    values = {}
    if isinstance(energy, Marginal):
        values["energy"] = energy.evaluate(theta, X)[0]
    if isinstance(energy, Bound):
        values["bound"] = energy.bound(theta, X)[0]
    if isinstance(energy, SiteConditionals):
        values["site logits"] = energy.site_logits(theta, X)[0]
    if isinstance(energy, Joint):
        values["joint energy"] = energy.evaluate_joint(theta, X, some_hidden(energy, X))[0]
    if isinstance(energy, ExactPosterior):
        values["posterior"] = energy.posterior(theta, X)
    if isinstance(energy, Score):
        values["score"] = energy.score(theta, X)[0]
        values["energy, with the score"], values["score, with the energy"] = (
            energy.energy_and_score(theta, X)
        )
    if isinstance(energy, Laplacian):
        values["score, with the laplacian"], values["laplacian"], _ = energy.score_and_laplacian(
            theta, X
        )
    if isinstance(energy, DirectionalCurvature):
        values["score, with curvatures"], values["curvatures"], _ = (
            energy.score_and_directional_curvature(theta, X, some_directions(X))
        )
    return values


def pulled_back(energy, theta, X):
    """The pullbacks of arbitrary cotangents, by name: vectors of θ's shape."""
    w = np.cos(np.arange(len(X))).astype(X.dtype)
    V = np.sin(np.arange(X.size)).astype(X.dtype).reshape(X.shape)
    vectors = {}
    if isinstance(energy, Marginal):
        vectors["energy"] = energy.evaluate(theta, X)[1](w)
    if isinstance(energy, Bound):
        vectors["bound"] = energy.bound(theta, X)[1](w)
    if isinstance(energy, SiteConditionals):
        logits, pullback = energy.site_logits(theta, X)
        vectors["site logits"] = pullback(
            np.sin(np.arange(logits.size)).astype(X.dtype).reshape(logits.shape)
        )
    if isinstance(energy, Joint):
        vectors["joint energy"] = energy.evaluate_joint(theta, X, some_hidden(energy, X))[1](w)
    if isinstance(energy, Score):
        vectors["score"] = energy.score(theta, X)[1](V)
    if isinstance(energy, Laplacian):
        vectors["laplacian"] = energy.score_and_laplacian(theta, X)[2](V, w)
    if isinstance(energy, DirectionalCurvature):
        _, _, pullback = energy.score_and_directional_curvature(theta, X, some_directions(X))
        vectors["curvatures"] = pullback(V, w)
    return vectors


def some_directions(X):
    """Two directions a row, functions of that row."""
    return np.stack([np.sin(5 * X), np.cos(3 * X)])


def some_hidden(energy, X):
    """A pattern of hidden units a row, the same every time and of X's dtype."""
    rng = np.random.default_rng(1)
    return (rng.random((len(X), energy.n_components)) < 0.5).astype(X.dtype)
