"""Energy differences of single bit flips against the energies themselves."""

import numpy as np
from numpy.testing import assert_allclose

from sklvm.energies import BitFlips, Marginal
from sklvm.testing._energy_checks import EnergyChecks
from sklvm.testing._finite_differences import assert_is_gradient

__all__ = ["BitFlipChecks"]


class BitFlipChecks(EnergyChecks):
    """Checks of the bit-flip capability, in float64."""

    def test_flip_energies_are_differences_of_energies(self):
        energy, theta, X = self.model(BitFlips, Marginal)
        before, _ = energy.evaluate(theta, X)
        differences, _ = energy.flip_energies(theta, X)
        for j in range(energy.n_features):
            flipped = X.copy()
            flipped[:, j] = 1 - flipped[:, j]
            expected = energy.evaluate(theta, flipped)[0] - before
            assert_allclose(differences[:, j], expected, rtol=1e-9, atol=1e-12)

    def test_pullback_of_flip_energies(self):
        energy, theta, X = self.model(BitFlips)
        V = self.rng.standard_normal(X.shape)
        _, pullback = energy.flip_energies(theta, X)
        assert_is_gradient(
            pullback(V), lambda t: np.vdot(V, energy.flip_energies(t, X)[0]), theta, energy.layout
        )
