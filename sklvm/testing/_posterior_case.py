"""All checks of a posterior, to be inherited."""

import unittest

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.layouts import ParameterLayout
from sklvm.testing._finite_differences import assert_is_gradient
from sklvm.testing._seeded import Seeded

__all__ = ["PosteriorTestCase"]


class PosteriorTestCase(Seeded):
    """What a variational posterior inherits by handing over one encoder.

    A subclass whose name starts with ``Test`` is collected by pytest. It gives ``make()``, and for
    latent variables that are not real numbers ``states()``. The checks are:

    - q sums or integrates to 1 for every row, and mean and entropy are those of q;
    - draws have q's moments, and repeat themselves from the same noise;
    - gradients of log-densities, entropy, and of draws that can be differentiated;
    - a row's posterior does not depend on the other rows;
    - float32 stays float32.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.posteriors import GaussianEncoder
    >>> from sklvm.testing import PosteriorTestCase
    >>> class TestGaussianEncoder(PosteriorTestCase):
    ...     def make(self):
    ...         encoder, X = GaussianEncoder(3, 2, (4,), "tanh"), self.rng.standard_normal((5, 3))
    ...         return encoder, 0.5 * self.rng.standard_normal(encoder.layout.size), X
    >>> TestGaussianEncoder().test_it_integrates_to_one()
    """

    n_draws = 20_000

    def make(self):
        """The encoder under test, its φ and a few rows, float64; at most 2 real latent variables.

        Returns
        -------
        encoder : Encoder
        phi : ndarray of shape (encoder.layout.size,)
        X : ndarray of shape (n, d)
        """
        raise NotImplementedError

    def states(self):
        """All that z can be, shape (n_states, K); None for real z."""
        return None

    # -- the distribution -------------------------------------------------------------------------

    def test_it_integrates_to_one(self):
        _, _, log_mass = self._table()
        assert_allclose(np.exp(log_mass).sum(axis=0), 1, rtol=1e-6)

    def test_the_mean_is_that_of_the_distribution(self):
        posterior, Z, log_mass = self._table()
        expected = np.einsum("sn,snk->nk", np.exp(log_mass), Z)
        assert_allclose(posterior.mean, expected, rtol=1e-6, atol=1e-8)

    def test_the_entropy_is_that_of_the_distribution(self):
        posterior, Z, log_mass = self._table()
        expected = -np.einsum("sn,sn->n", np.exp(log_mass), posterior.log_density(Z))
        assert_allclose(posterior.entropy(), expected, rtol=1e-6)

    def test_draws_have_the_moments_of_the_distribution(self):
        posterior, Z, log_mass = self._table()
        draws = posterior.draw(posterior.noise(self.n_draws, self.rng))
        assert draws.shape == (self.n_draws, *posterior.mean.shape)
        for moment in (lambda Z: Z, _products, lambda Z: posterior.log_density(Z)[..., np.newaxis]):
            values = moment(draws)
            expected = np.einsum("sn,snk->nk", np.exp(log_mass), moment(Z))
            deviation = values.std(axis=0) / np.sqrt(self.n_draws)
            assert np.all(np.abs(values.mean(axis=0) - expected) <= 5 * deviation + 1e-6)

    def test_the_same_noise_draws_the_same_and_spares_work(self):
        posterior = self._posterior()
        noise = posterior.noise(6, self.rng)
        Z = posterior.draw(noise)
        assert_array_equal(Z, posterior.draw(noise.copy()))
        assert_allclose(posterior.log_density(Z, noise), posterior.log_density(Z), rtol=1e-9)

    def test_latent_variables_may_be_the_same_for_all_rows(self):
        posterior = self._posterior()
        Z = posterior.draw(posterior.noise(6, self.rng))[:, :1]
        repeated = np.repeat(Z, len(posterior.mean), axis=1)
        assert_allclose(posterior.log_density(Z), posterior.log_density(repeated), rtol=1e-9)

    # -- gradients --------------------------------------------------------------------------------

    def test_the_gradient_of_log_densities_with_z_held_fixed(self):
        posterior = self._posterior()
        noise = posterior.noise(3, self.rng)
        Z, w = posterior.draw(noise), self.rng.standard_normal((3, len(posterior.mean)))
        self._assert_pulled(
            posterior.pull_log_density(Z, w), lambda q: np.vdot(w, q.log_density(Z))
        )
        assert_allclose(
            posterior.pull_log_density(Z, w, noise), posterior.pull_log_density(Z, w), rtol=1e-7
        )

    def test_the_gradient_of_the_entropy(self):
        posterior = self._posterior()
        w = self.rng.standard_normal(len(posterior.mean))
        self._assert_pulled(posterior.pull_entropy(w), lambda q: np.vdot(w, q.entropy()))

    def test_the_gradient_along_the_draws(self):
        posterior = self._differentiable_posterior()
        noise = posterior.noise(3, self.rng)
        Z_bar = self.rng.standard_normal((3, *posterior.mean.shape))
        w = self.rng.standard_normal(Z_bar.shape[:2])
        self._assert_pulled(
            posterior.pull_draw(noise, Z_bar), lambda q: np.vdot(Z_bar, q.draw(noise))
        )
        self._assert_pulled(
            posterior.pull_draw(noise, 0 * Z_bar, w),
            lambda q: np.vdot(w, q.log_density(q.draw(noise))),
        )

    def test_the_slope_of_the_log_density_in_z(self):
        posterior = self._differentiable_posterior()
        noise = posterior.noise(2, self.rng)
        Z = posterior.draw(noise)
        slope = posterior.log_density_slope(noise)
        for k in range(Z.shape[2]):
            step = np.zeros(Z.shape[2])
            step[k] = 1e-6
            up, down = (posterior.log_density(Z + s * step) for s in (1, -1))
            assert_allclose(slope[:, :, k], (up - down) / 2e-6, rtol=1e-5, atol=1e-6)

    def _assert_pulled(self, outputs_bar, value):
        """φ's gradient of value(q) is what the cotangent of q's outputs pulls back to."""
        encoder, phi, X = self._model
        gradient = np.full_like(phi, np.nan)
        encoder.encode(phi, X).pullback(outputs_bar, gradient)
        assert_is_gradient(
            gradient, lambda some: value(encoder.encode(some, X)), phi, encoder.layout
        )

    # -- arrays -----------------------------------------------------------------------------------

    def test_a_row_does_not_depend_on_the_others(self):
        encoder, phi, X = self.make()
        together = encoder.encode(phi, X)
        for i in range(len(X)):
            alone = encoder.encode(phi, X[i : i + 1])
            assert_allclose(together.mean[i : i + 1], alone.mean, rtol=1e-9, atol=1e-12)
            assert_allclose(together.entropy()[i], alone.entropy()[0], rtol=1e-9)

    def test_float32_stays_float32_and_float64_stays_float64(self):
        encoder, phi, X = self.make()
        for dtype in (np.float32, np.float64):
            X_d = X.astype(dtype)
            posterior = encoder.encode(phi.astype(dtype), X_d)
            noise = posterior.noise(2, self.rng)
            Z = posterior.draw(noise)
            w = np.ones(Z.shape[:2], dtype=dtype)
            for values in (
                encoder.init_parameters(X_d, self.rng),
                posterior.mean,
                Z,
                posterior.log_density(Z, noise),
                posterior.log_density(Z),
                posterior.entropy(),
                posterior.pull_log_density(Z, w),
                posterior.pull_entropy(w[0]),
            ):
                assert values.dtype == dtype

    def test_the_start_is_of_the_layouts_size_and_weights_are_repeated_rows(self):
        encoder, _, X = self.make()
        assert isinstance(encoder.layout, ParameterLayout)
        counts = 1 + np.arange(len(X)) % 2
        weighted = encoder.init_parameters(X, np.random.default_rng(0), counts.astype(float))
        repeated = encoder.init_parameters(np.repeat(X, counts, axis=0), np.random.default_rng(0))
        assert weighted.shape == (encoder.layout.size,)
        assert_allclose(weighted, repeated, rtol=1e-7, atol=1e-9)

    # -- tables -----------------------------------------------------------------------------------

    def _posterior(self):
        self._model = self.make()
        encoder, phi, X = self._model
        return encoder.encode(phi, X)

    def _differentiable_posterior(self):
        posterior = self._posterior()
        if not posterior.is_reparametrized:
            raise unittest.SkipTest("draws cannot be differentiated")
        return posterior

    def _table(self):
        """The posterior, values of z of shape (S, n, K), and the logarithms of their masses."""
        posterior = self._posterior()
        if (states := self.states()) is not None:
            Z = np.repeat(states[:, np.newaxis], len(posterior.mean), axis=1)
            return posterior, Z, posterior.log_density(Z)
        draws = posterior.draw(posterior.noise(1000, np.random.default_rng(0)))
        centre, half = draws.mean(axis=0), 10 * draws.std(axis=0)
        places = np.linspace(-1, 1, 401)
        K = centre.shape[1]
        unit = np.stack(np.meshgrid(*[places] * K, indexing="ij"), axis=-1).reshape(-1, 1, K)
        cells = np.log(half * (places[1] - places[0])).sum(axis=1)
        Z = centre + half * unit
        return posterior, Z, posterior.log_density(Z) + cells


def _products(Z):
    """z_j z_k of all pairs."""
    return np.einsum("snj,snk->snjk", Z, Z).reshape(*Z.shape[:2], -1)
