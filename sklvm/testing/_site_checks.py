"""Logits of single units against the energies themselves."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import Marginal, SiteConditionals
from sklvm.testing._energy_checks import EnergyChecks
from sklvm.testing._finite_differences import assert_is_gradient

__all__ = ["SiteChecks"]


class SiteChecks(EnergyChecks):
    """Checks of the site conditionals, in float64."""

    def test_site_logits_are_differences_of_energies(self):
        energy, theta, X = self.model(SiteConditionals, Marginal)
        logits, _ = energy.site_logits(theta, X)
        n_sites, n_states = logits.shape[1:]
        for j in range(n_sites):
            energies = [
                energy.evaluate(theta, self.with_state(X, j, state, n_sites))[0]
                for state in range(n_states)
            ]
            for state in range(n_states):
                assert_allclose(
                    logits[:, j, state] - logits[:, j, 0],
                    energies[0] - energies[state],
                    rtol=1e-9,
                    atol=1e-12,
                )

    def test_site_states_are_those_of_the_rows(self):
        energy, theta, X = self.model(SiteConditionals)
        n_sites, n_states = energy.site_logits(theta, X)[0].shape[1:]
        for j in range(n_sites):
            for state in range(n_states):
                states = energy.site_states(self.with_state(X, j, state, n_sites))
                assert_array_equal(states[:, j], state)

    def test_pullback_of_the_site_logits(self):
        energy, theta, X = self.model(SiteConditionals)
        logits, pullback = energy.site_logits(theta, X)
        V = self.rng.standard_normal(logits.shape)
        assert_is_gradient(
            pullback(V), lambda t: np.vdot(V, energy.site_logits(t, X)[0]), theta, energy.layout
        )

    def with_state(self, X, site, state, n_sites):
        """Rows with one unit in another state: a number a unit, or a block of one-hot features."""
        X = X.copy()
        if n_sites == X.shape[1]:
            X[:, site] = state
        else:
            width = X.shape[1] // n_sites
            X[:, site * width : (site + 1) * width] = np.eye(width)[state]
        return X
