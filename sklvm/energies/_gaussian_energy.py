"""The Gaussian as a model to be trained: location, and a precision matrix with given zeros."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky, solve_triangular

from sklvm.graphs import SymmetricPattern
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["GaussianEnergy"]


class GaussianEnergy:
    """E(x) = ½ (x − μ)ᵀ Λ (x − μ), Λ symmetric with zeros off a mask.

    Capabilities: marginal, score, Laplacian, directional curvature, exact partition.
    With every objective and an oracle in closed form, it is also the model on which criteria are
    proved.

    Parameters
    ----------
    n_features : int
    mask : ndarray of bool of shape (d, d), default=None
        Symmetric; where Λ may differ from zero. None: everywhere.

    Attributes
    ----------
    layout : ParameterLayout
        ``location`` (d,), and ``precision`` (the free entries of Λ's upper triangle,).
    """

    # log Z has a closed form.
    n_terms = 1

    def __init__(self, n_features, mask=None):
        self.n_features = n_features
        allowed = np.ones((n_features, n_features), dtype=bool) if mask is None else mask
        self._pattern = SymmetricPattern(allowed)
        self.layout = ParameterLayout(
            {"location": (n_features,), "precision": self._pattern.rows.shape}
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """The independent Gaussian with the mean and the variances of X."""
        mean, variances = column_moments(X, sample_weight)
        positive = variances[variances > 0]
        fill = positive.min() if len(positive) else 1.0
        precision = np.diag(1 / np.where(variances > 0, variances, fill))
        return self.pack(mean, precision).astype(X.dtype)

    def pack(self, location, precision):
        """θ of the given μ and Λ; entries of Λ off the mask are left out."""
        entries = self._pattern.gather(np.asarray(precision))
        return self.layout.pack(location=location, precision=entries)

    def precision(self, theta):
        """Λ, shape (d, d)."""
        return self._pattern.dense(self.layout.views(theta)["precision"])

    def evaluate(self, theta, X):
        """E (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂E(xᵢ)/∂θ."""
        centred, pulled, precision = self._centre(theta, X)

        def pullback(w):
            weighted = w[:, np.newaxis] * centred
            return self._gradient(-(weighted.sum(axis=0) @ precision), 0.5 * weighted.T @ centred)

        return 0.5 * np.einsum("ij,ij->i", centred, pulled), pullback

    def score(self, theta, X):
        """ψ(x) = −Λ(x − μ), and ``pullback(V)``."""
        centred, pulled, precision = self._centre(theta, X)

        def pullback(V):
            return self._gradient(V.sum(axis=0) @ precision, -(V.T @ centred))

        return -pulled, pullback

    def score_and_laplacian(self, theta, X):
        """ψ, tr ∇ψ = −tr Λ (the same for every row), and ``pullback(V, w)``."""
        psi, score_pullback = self.score(theta, X)
        trace = -np.trace(self.precision(theta))

        def pullback(V, w):
            gradient = score_pullback(V)
            out = self.layout.views(gradient)["precision"]
            out -= w.sum() * self._pattern.identity
            return gradient

        return psi, np.full(len(X), trace, dtype=X.dtype), pullback

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ, −Σ_v vᵀΛv of every row's directions v, and ``pullback(V, w)``."""
        psi, score_pullback = self.score(theta, X)
        curvature = -np.einsum("mij,mij->i", directions @ self.precision(theta), directions)

        def pullback(V, w):
            weighted = (w[:, np.newaxis] * directions).reshape(-1, self.n_features)
            second = self._gradient(
                np.zeros_like(V[0]), -weighted.T @ directions.reshape(-1, self.n_features)
            )
            return score_pullback(V) + second

        return psi, curvature, pullback

    def energy_and_score(self, theta, X):
        """E and ψ, from one product with Λ."""
        centred, pulled, _ = self._centre(theta, X)
        return 0.5 * np.einsum("ij,ij->i", centred, pulled), -pulled

    def curvature(self, theta):
        """The mean of Λ's diagonal."""
        return float(np.trace(self.precision(theta)) / self.n_features)

    def log_partition(self, theta):
        """log Z = ½ (d log 2π − log det Λ), in nats; raises ``LinAlgError`` unless Λ ≻ 0."""
        factor, _ = cho_factor(self.precision(theta).astype(np.float64))
        return 0.5 * self.n_features * np.log(2 * np.pi) - np.log(np.diag(factor)).sum()

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], which is −½ Λ⁻¹ in Λ; infinite and NaN unless Λ ≻ 0."""
        try:
            factor = cho_factor(self.precision(theta).astype(np.float64))
        except LinAlgError:
            return np.inf, np.full_like(theta, np.nan)
        covariance = cho_solve(factor, np.eye(self.n_features))
        gradient = self._gradient(np.zeros(self.n_features), -0.5 * covariance)
        return self.log_partition(theta), gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        factor = cholesky(self.precision(theta).astype(np.float64), lower=False)
        noise = rng.standard_normal((n_samples, self.n_features))
        draws = solve_triangular(factor, noise.T, lower=False).T
        return (self.layout.views(theta)["location"] + draws).astype(theta.dtype)

    def _centre(self, theta, X):
        precision = self.precision(theta)
        centred = X - self.layout.views(theta)["location"]
        return centred, centred @ precision, precision

    def _gradient(self, location_bar, precision_bar):
        """θ's gradient from that of μ and of Λ's entries taken as independent."""
        symmetric = self._pattern.gather_symmetrized(precision_bar)
        return self.layout.pack(
            location=location_bar,
            precision=self._pattern.multiplicity * symmetric,
            dtype=precision_bar.dtype,
        )
