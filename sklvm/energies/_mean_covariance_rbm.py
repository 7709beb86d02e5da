"""The energy of the mean–covariance restricted Boltzmann machine."""

import numpy as np
from scipy.special import logsumexp

from sklvm.energies._binary_states import binary_states, draw_binary_states, enumerate_gradient
from sklvm.energies._deep_energy import DeepEnergy
from sklvm.energies._linear_latents import LinearLatents
from sklvm.energies._pooled_squares import NormalizedPooledSquares, PooledSquares
from sklvm.kernels import sigmoid, standard_normal

__all__ = ["MeanCovarianceRBMEnergy", "NormalizedMeanCovarianceRBMEnergy"]


class _MeanCovarianceEnergy(LinearLatents):
    """The sum of two energies: one of mean units, one of covariance units.

    Mean units and the Gaussian are those of a ``DeepEnergy`` without layers below; its parameters
    come first in θ. A subclass says of what kind the ``_pooled_squares`` are.
    """

    _pooled_squares = PooledSquares

    def __init__(
        self,
        n_features,
        n_components,
        n_covariance_components,
        pooling=None,
        sigma=1.0,
        sigma_floor=1e-3,
    ):
        self.n_features = n_features
        self.n_mean_components, self.n_components = (
            n_components,
            n_components + n_covariance_components,
        )
        self.pooling = pooling
        n_factors = n_covariance_components if pooling is None else pooling.shape[1]
        self.means = DeepEnergy(n_features, n_components, (), sigma=sigma, sigma_floor=sigma_floor)
        self.squares = self._pooled_squares(
            n_features, n_covariance_components, n_factors, pooling is not None
        )
        self.scale = self.means.scale
        self.layout = self.means.layout + self.squares.layout

    def _split(self, theta):
        size = self.means.layout.size
        return theta[:size], theta[size:]

    def init_parameters(self, X, rng, sample_weight=None):
        """N(mean of X, σ²I), under which all filters have outputs of unit variance.

        A learned σ² is the variance of X. Biases are b = −Wx̄ and c = 0.
        """
        start = self.means.init_parameters(X, rng, sample_weight)
        views = self.means.layout.views(start)
        variance = self.scale.variance(views)
        shapes = self.means.layout["coefs_0"], self.squares.layout["factors"]
        filters = [rng.standard_normal(s) / np.sqrt(self.n_features * variance) for s in shapes]
        views["coefs_0"][...] = filters[0]
        views["intercepts_0"][...] = -variance * (filters[0] @ views["visible_bias"])
        pooling = {} if self.pooling is None else {"pooling": self.pooling}
        squares = self.squares.layout.pack(
            factors=filters[1], covariance_bias=0.0, **pooling, dtype=start.dtype
        )
        return np.concatenate([start, squares])

    # -- linear in y and z ------------------------------------------------------------------------

    def terms(self, theta, X):
        """E₀(x) = ‖x‖²/(2σ²) − aᵀx, the logits (u, v), and their pullback."""
        of_means, of_squares = self._split(theta)
        energy, u, pull_means = self.means.terms(of_means, X)
        v, pull_squares = self.squares.logits(of_squares, X)

        def pullback(w, bar):
            u_bar, v_bar = bar[:, : self.n_mean_components], bar[:, self.n_mean_components :]
            return np.concatenate([pull_means(w, u_bar), pull_squares(v_bar)])

        return energy, np.hstack([u, v]), pullback

    # -- score and second derivatives -------------------------------------------------------------

    def energy_and_score(self, theta, X):
        """E (n,) and ψ (n, d), from one product with each matrix and one with its transpose."""
        of_means, of_squares = self._split(theta)
        energy, psi = self.means.energy_and_score(of_means, X)
        energy_of_squares, g = self.squares.energy_and_score(of_squares, X)
        energy += energy_of_squares
        psi += g
        return energy, psi

    def score(self, theta, X):
        """ψ = −x/σ² + a + Wᵀs(u) − Cᵀ((Pᵀs(v)) ∘ Cx), and ``pullback(V)``."""
        of_means, of_squares = self._split(theta)
        psi, pull_means = self.means.score(of_means, X)
        g, _, _, pull = self.squares.derivatives(of_squares, X, np.zeros_like(X)[np.newaxis])
        return psi + g, lambda V: np.concatenate([pull_means(V), pull(V, None, None)])

    def score_and_laplacian(self, theta, X):
        """ψ, tr ∇ψ, and ``pullback(V, w)``."""
        of_means, of_squares = self._split(theta)
        psi, laplacian, pull_means = self.means.score_and_laplacian(of_means, X)
        g, _, trace, pull = self.squares.derivatives(of_squares, X, with_trace=True)
        return (
            psi + g,
            laplacian + trace,
            lambda V, w: np.concatenate([pull_means(V, w), pull(V, None, w)]),
        )

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ, Σ_v vᵀ∇ψ v of every row's directions v, and ``pullback(V, w)``."""
        of_means, of_squares = self._split(theta)
        psi, curvature, pull_means = self.means.score_and_directional_curvature(
            of_means, X, directions
        )
        g, of_squares_too, _, pull = self.squares.derivatives(of_squares, X, directions)
        return (
            psi + g,
            curvature + of_squares_too,
            lambda V, w: np.concatenate([pull_means(V, w), pull(V, w, None)]),
        )

    def curvature(self, theta):
        """The mean over features of −∂²/∂x_j² of log p̃ at x = 0, but for mean units."""
        of_means, of_squares = self._split(theta)
        views = self.squares.layout.views(of_squares)
        weights = sigmoid(views["covariance_bias"])
        if self.pooling is not None:
            weights = weights @ views["pooling"]
        lengths = np.einsum("fj,fj->f", views["factors"], views["factors"])
        return self.means.curvature(of_means) + float(weights @ lengths) / self.n_features


class MeanCovarianceRBMEnergy(_MeanCovarianceEnergy):
    """−log p̃ of the mean–covariance restricted Boltzmann machine.

    ::

        log p̃(x, y, z) = −‖x‖²/(2σ²) + aᵀx + zᵀ(Wx + b) + yᵀ(c − ½ P f²),   f = Cx,
        log p̃(x) = −‖x‖²/(2σ²) + aᵀx + Σ_k S(u_k) + Σ_n S(v_n),   u = Wx + b,  v = c − ½ P f²,
        p(x | y, z) = N(Λ⁻¹(a + Wᵀz), Λ⁻¹),   Λ = I/σ² + Cᵀ diag(Pᵀy) C,

    with P ≥ 0 of shape (N, F), z ∈ {0, 1}^K the mean units and y ∈ {0, 1}^N the covariance units,
    which give x a covariance of its own in each of their states [1]_. Without mean units it is the
    covariance machine, without covariance units the Gaussian one. Latent units are z, and after
    them y. Capabilities: marginal, joint, independent binary latents, score, Laplacian, directional
    curvature, exact partition over the states of all latent units.

    There is no Gibbs sampling: x given y and z costs a Cholesky factor a row, and Hamiltonian Monte
    Carlo with y and z summed out mixes faster.

    Parameters
    ----------
    n_features : int
        Width d of x.
    n_components : int
        Number K of mean units; 0 leaves them out.
    n_covariance_components : int
        Number N of covariance units.
    pooling : ndarray of shape (N, F), default=None
        Where P ≥ 0 starts. None: P is the identity and no parameter.
    sigma : float or "learn", default=1.0
        σ; see ``Scale``.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x; used where σ is learned.

    Attributes
    ----------
    layout : ParameterLayout
        ``visible_bias`` (a), ``log_scale`` (ρ, where learned), ``coefs_0`` (W), ``intercepts_0``
        (b), ``factors`` (C, of shape (F, d)), ``pooling`` (P, where it is a parameter),
        ``covariance_bias`` (c).

    References
    ----------
    .. [1] Ranzato, Hinton, "Modeling pixel means and covariances using factorized third-order
       Boltzmann machines", CVPR 2010.
    """

    @property
    def n_terms(self):
        """Of the sum over the states of y and z."""
        return 2**self.n_components

    def log_partition(self, theta):
        """log Σ_yz ∫ p̃(x, y, z) dx: a Gaussian integral for every state of the latent units."""
        wide = theta.astype(np.float64)
        return float(
            logsumexp([logsumexp(-self._evaluate_hidden(wide, Z)[0]) for Z in self._states()])
        )

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], by sums over the states of the latent units."""
        wide = theta.astype(np.float64)
        log_z, gradient = enumerate_gradient(self._evaluate_hidden(wide, Z) for Z in self._states())
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws: a state of the latent units, and x given that."""
        wide = theta.astype(np.float64)
        Z = draw_binary_states(
            self.n_components,
            lambda Z: self._evaluate_hidden(wide, Z)[0],
            2 * self.n_features**2,
            n_samples,
            rng,
        )
        return self.sample_visible(theta, Z.astype(theta.dtype), int(rng.integers(2**63)))

    def visible_mean(self, theta, Z):
        """E[x | z, y] = Λ⁻¹(a + Wᵀz) for rows (z, y), shape (n, d)."""
        scaled, drive, variance = self._conditional(theta, Z)
        return variance * np.linalg.solve(scaled, drive[..., np.newaxis])[..., 0]

    def sample_visible(self, theta, Z, seed, sweep=0):
        """A draw of x given each row (z, y), by the Cholesky factor of its precision."""
        scaled, drive, variance = self._conditional(theta, Z)
        factor, deviation = _cholesky(scaled), np.sqrt(variance)
        noise = standard_normal(drive.shape, seed, sweep=sweep, dtype=theta.dtype)
        half = np.linalg.solve(factor, deviation * drive[..., np.newaxis])[..., 0] + noise
        transposed = np.swapaxes(factor, 1, 2)
        return deviation * np.linalg.solve(transposed, half[..., np.newaxis])[..., 0]

    def _conditional(self, theta, Z):
        """σ²Λ of shape (n, d, d), which has no scale, a + Wᵀz, and σ², for rows (z, y)."""
        of_means, of_squares = self._split(theta)
        means, squares = self.means.layout.views(of_means), self.squares.layout.views(of_squares)
        variance = self.scale.variance(means)
        C, Y = np.sqrt(variance) * squares["factors"], Z[:, self.n_mean_components :]
        weights = Y if self.pooling is None else Y @ squares["pooling"]
        scaled = (C.T * weights[:, np.newaxis]) @ C
        scaled += np.eye(self.n_features, dtype=theta.dtype)
        drive = Z[:, : self.n_mean_components] @ means["coefs_0"] + means["visible_bias"]
        return scaled, drive, variance

    def _states(self):
        return binary_states(self.n_components, 2 * self.n_features**2)

    def _evaluate_hidden(self, theta, Z):
        """E(z, y) = −log ∫ p̃(x, y, z) dx, and its pullback, for rows (z, y)."""
        of_means, of_squares = self._split(theta)
        means, squares = self.means.layout.views(of_means), self.squares.layout.views(of_squares)
        scaled, drive, variance = self._conditional(theta, Z)
        factor = _cholesky(scaled)
        inverse = np.linalg.solve(factor, np.broadcast_to(np.eye(self.n_features), factor.shape))
        covariance = variance * np.swapaxes(inverse, 1, 2) @ inverse
        mean = np.einsum("sij,sj->si", covariance, drive)
        biases = np.concatenate([means["intercepts_0"], squares["covariance_bias"]])
        energy = -(Z @ biases) - 0.5 * np.einsum("si,si->s", drive, mean)
        energy += np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        energy -= 0.5 * self.n_features * np.log(2 * np.pi * variance)

        def pullback(w):
            """Σ_s w_s E[∂E(x, s)/∂θ | s], by the Gaussian's moments of x."""
            gradient, k = np.empty_like(theta), self.n_mean_components
            of_means, of_squares = self._split(gradient)
            out = self.means.layout.views(of_means)
            out_squares = self.squares.layout.views(of_squares)
            of_z, of_y = np.split(w[:, np.newaxis] * Z, [k], axis=1)
            moments = covariance + mean[:, :, np.newaxis] * mean[:, np.newaxis]
            out["visible_bias"][...] = -(w @ mean)
            out["coefs_0"][...] = -(of_z.T @ mean)
            out["intercepts_0"][...] = -of_z.sum(axis=0)
            squared_norms = np.trace(moments, axis1=1, axis2=2)
            self.scale.pull(means, -0.5 * (w @ squared_norms) / variance**2, out)
            C = squares["factors"]
            if self.pooling is not None:
                squared = np.einsum("fi,sij,fj->sf", C, moments, C)
                out_squares["pooling"][...] = 0.5 * of_y.T @ squared
            of_factors = of_y if self.pooling is None else of_y @ squares["pooling"]
            out_squares["factors"][...] = np.einsum("sf,fj,sji->fi", of_factors, C, moments)
            out_squares["covariance_bias"][...] = -of_y.sum(axis=0)
            return gradient

        return energy, pullback


class NormalizedMeanCovarianceRBMEnergy(_MeanCovarianceEnergy):
    """The mean–covariance machine whose covariance units see x with its contrast taken off.

    ::

        log p̃(x) = −‖x‖²/(2σ²) + aᵀx + Σ_k S((Wx + b)_k) + Σ_n S(c_n − ½ (P f²)_n),
        f = Cx/ℓ,   ℓ² = ‖x‖²/d + ½,

    as in the code that Ranzato and Hinton published; their paper has another ℓ. Given y and z, x is
    not Gaussian, so that log Z is known by annealing only. Parameters, and capabilities but for the
    exact partition, are those of ``MeanCovarianceRBMEnergy``.
    """

    _pooled_squares = NormalizedPooledSquares


def _cholesky(precisions):
    """Factors of precisions; raises ``LinAlgError`` where one is singular to rounding."""
    try:
        return np.linalg.cholesky(precisions)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(
            "The precision of x given the covariance units is singular to rounding: filters are "
            "far longer than 1/σ. Scale the data."
        ) from None
