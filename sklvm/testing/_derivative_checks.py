"""Derivatives of an energy are those of finite differences, and its answers agree."""

import numpy as np
from numpy.testing import assert_allclose

from sklvm.energies import (
    Centred,
    DirectionalCurvature,
    Energy,
    Joint,
    Laplacian,
    Marginal,
    Score,
    Tempered,
)
from sklvm.testing._energy_checks import EnergyChecks, some_directions, some_hidden
from sklvm.testing._finite_differences import assert_is_gradient, numerical_jacobian

__all__ = ["DerivativeChecks"]


class DerivativeChecks(EnergyChecks):
    """Checks of the marginal, joint, score, laplacian and directional capabilities in float64."""

    def test_it_has_what_every_energy_has(self):
        energy, theta, X = self.model(Energy)
        assert energy.n_features == X.shape[1]
        assert theta.shape == (energy.layout.size,)
        start = energy.init_parameters(X, np.random.default_rng(0))
        assert start.shape == theta.shape
        assert np.all(np.isfinite(start))

    def test_at_the_start_a_row_of_weight_two_is_the_row_twice(self):
        energy, _, X = self.model(Energy)
        counts = 1 + np.arange(len(X)) % 3
        weights, repeated = counts.astype(X.dtype), np.repeat(X, counts, axis=0)
        starts = [
            energy.init_parameters(rows, np.random.default_rng(0), sample_weight)
            for rows, sample_weight in ((X, weights), (repeated, None))
        ]
        assert_allclose(*starts, rtol=1e-9, atol=1e-12)
        if isinstance(energy, Tempered):
            reference = energy.tempered_start(repeated)
            assert_allclose(energy.tempered_start(X, weights), reference, rtol=1e-9, atol=1e-12)

    # -- in θ -------------------------------------------------------------------------------------

    def test_gradient_of_the_marginal_energy(self):
        energy, theta, X = self.model(Marginal)
        w = self.rng.standard_normal(len(X))
        _, pullback = energy.evaluate(theta, X)
        assert_is_gradient(
            pullback(w), lambda t: w @ energy.evaluate(t, X)[0], theta, energy.layout
        )

    def test_gradient_of_the_joint_energy(self):
        energy, theta, X = self.model(Joint)
        w, Z = self.rng.standard_normal(len(X)), some_hidden(energy, X)
        _, pullback = energy.evaluate_joint(theta, X, Z)
        assert_is_gradient(
            pullback(w), lambda t: w @ energy.evaluate_joint(t, X, Z)[0], theta, energy.layout
        )

    def test_gradient_in_centred_parameters(self):
        energy, theta, X = self.model(Marginal, Centred)
        w = self.rng.standard_normal(len(X))
        offsets = self.rng.random(energy.n_features), self.rng.random(energy.n_components)
        _, pullback = energy.evaluate(theta, X)

        def moved(change):
            change = change.copy()
            energy.centre_change(theta, change, offsets)
            return w @ energy.evaluate(theta + change, X)[0]

        gradient = pullback(w)
        energy.centre_gradient(theta, gradient, offsets)
        assert_is_gradient(gradient, moved, np.zeros_like(theta), energy.layout)

    def test_pullback_of_the_score(self):
        energy, theta, X = self.model(Score)
        V = self.rng.standard_normal(X.shape)
        _, pullback = energy.score(theta, X)
        assert_is_gradient(
            pullback(V), lambda t: np.vdot(V, energy.score(t, X)[0]), theta, energy.layout
        )

    def test_pullback_of_score_and_laplacian(self):
        energy, theta, X = self.model(Laplacian)
        V, w = self.rng.standard_normal(X.shape), self.rng.standard_normal(len(X))
        _, _, pullback = energy.score_and_laplacian(theta, X)

        def pulled(t):
            psi, laplacian, _ = energy.score_and_laplacian(t, X)
            return np.vdot(V, psi) + w @ laplacian

        assert_is_gradient(pullback(V, w), pulled, theta, energy.layout)

    def test_pullback_of_score_and_directional_curvature(self):
        energy, theta, X = self.model(DirectionalCurvature)
        V, w = self.rng.standard_normal(X.shape), self.rng.standard_normal(len(X))
        directions = some_directions(X)
        _, _, pullback = energy.score_and_directional_curvature(theta, X, directions)

        def pulled(t):
            psi, curvature, _ = energy.score_and_directional_curvature(t, X, directions)
            return np.vdot(V, psi) + w @ curvature

        assert_is_gradient(pullback(V, w), pulled, theta, energy.layout)

    def test_a_pullback_can_be_called_again(self):
        energy, theta, X = self.model(Marginal)
        _, pullback = energy.evaluate(theta, X)
        w = self.rng.standard_normal(len(X))
        first = pullback(w).copy()
        pullback(self.rng.standard_normal(len(X)))
        np.testing.assert_array_equal(pullback(w), first)

    # -- in x -------------------------------------------------------------------------------------

    def test_the_score_is_minus_the_gradient_of_the_energy(self):
        energy, theta, X = self.model(Score, Marginal)
        psi, _ = energy.score(theta, X)
        for x, psi_x in zip(X, psi, strict=True):
            slope = numerical_jacobian(lambda y: energy.evaluate(theta, y[np.newaxis])[0][0], x)
            assert_allclose(psi_x, -slope, rtol=1e-6, atol=1e-8 * np.abs(psi).max())

    def test_the_laplacian_is_the_trace_of_the_scores_jacobian(self):
        energy, theta, X = self.model(Laplacian)
        psi, laplacian, _ = energy.score_and_laplacian(theta, X)
        assert_allclose(psi, energy.score(theta, X)[0], rtol=1e-12, atol=1e-12)
        for x, laplacian_x in zip(X, laplacian, strict=True):
            jacobian = numerical_jacobian(lambda y: energy.score(theta, y[np.newaxis])[0][0], x)
            assert_allclose(laplacian_x, np.trace(jacobian), rtol=1e-6, atol=1e-8)

    def test_the_directional_curvature_is_that_of_the_scores_jacobian(self):
        energy, theta, X = self.model(DirectionalCurvature)
        directions = some_directions(X)
        psi, curvature, _ = energy.score_and_directional_curvature(theta, X, directions)
        assert_allclose(psi, energy.score(theta, X)[0], rtol=1e-12, atol=1e-12)
        for i, x in enumerate(X):
            jacobian = numerical_jacobian(lambda y: energy.score(theta, y[np.newaxis])[0][0], x)
            expected = sum(v @ jacobian @ v for v in directions[:, i])
            assert_allclose(curvature[i], expected, rtol=1e-6, atol=1e-8)

    def test_the_curvatures_along_orthonormal_directions_add_up_to_the_laplacian(self):
        energy, theta, X = self.model(DirectionalCurvature, Laplacian)
        basis, _ = np.linalg.qr(self.rng.standard_normal((energy.n_features, energy.n_features)))
        directions = np.repeat(basis[:, np.newaxis], len(X), axis=1)
        _, curvature, pullback = energy.score_and_directional_curvature(theta, X, directions)
        _, laplacian, expected_pullback = energy.score_and_laplacian(theta, X)
        assert_allclose(curvature, laplacian, rtol=1e-10, atol=1e-10)
        V, w = self.rng.standard_normal(X.shape), self.rng.standard_normal(len(X))
        expected = expected_pullback(V, w)
        assert_allclose(pullback(V, w), expected, rtol=0, atol=1e-10 * np.abs(expected).max())

    def test_energy_and_score_are_those_of_evaluate_and_score(self):
        energy, theta, X = self.model(Score, Marginal)
        both = energy.energy_and_score(theta, X)
        assert_allclose(both[0], energy.evaluate(theta, X)[0], rtol=1e-12, atol=1e-12)
        assert_allclose(both[1], energy.score(theta, X)[0], rtol=1e-12, atol=1e-12)

    def test_the_curvature_is_a_positive_number(self):
        energy, theta, _ = self.model(Score)
        curvature = energy.curvature(theta)
        assert isinstance(curvature, float)
        assert 0 < curvature < np.inf
