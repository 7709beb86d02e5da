"""How features scatter around what a decoder says: Gaussian and Bernoulli likelihoods.

A likelihood is a density p(x|u) of x given the outputs u of a network. Entries of x that are
missing (NaN) are no part of it.
"""

import numpy as np

from sklvm.kernels import cross_entropy, sigmoid
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["BernoulliLikelihood", "GaussianLikelihood"]

LOG_2PI = np.log(2 * np.pi)


class GaussianLikelihood:
    """x ~ N(m, diag σ²), m the network's first d outputs.

    A learned σ is √(σ_min² + e^{2ρ}).

    Parameters
    ----------
    n_features : int
        Width d of x.
    sigma : float or {"learn", "learn_diagonal", "predict"}, default="learn"
        σ, in the units of x: given, one learned, one learned for each feature, or ρ the network's
        last d outputs.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x; used where σ is learned.

    Attributes
    ----------
    n_outputs : int
        How many outputs the network has to have.
    layout : ParameterLayout
        ``log_sigma`` (ρ), where it is a parameter.
    """

    def __init__(self, n_features, sigma="learn", sigma_floor=1e-3):
        self.n_features, self.sigma, self.sigma_floor = n_features, sigma, sigma_floor
        self.n_outputs = 2 * n_features if sigma == "predict" else n_features
        shapes = {"learn": (), "learn_diagonal": (n_features,)}
        self.layout = ParameterLayout({"log_sigma": shapes[sigma]} if sigma in shapes else {})

    def start(self, X, views):
        """The network's outputs where z says nothing, and how far they move; sets ρ in `views`."""
        mean, variances = column_moments(X)
        variance = float(variances.mean())
        log_sigma = 0.5 * np.log(max(variance - self.sigma_floor**2, self.sigma_floor**2))
        if "log_sigma" in views:
            views["log_sigma"][...] = log_sigma
        spread = np.full(self.n_features, np.sqrt(variance))
        if self.sigma != "predict":
            return mean, spread
        log_sigmas = np.full(self.n_features, log_sigma)
        return np.append(mean, log_sigmas), np.append(spread, 0 * spread)

    def evaluate(self, views, U, X):
        """−log p(x|u) of shape (n,), and ``pullback(w, out)``, the cotangent of U.

        The pullback writes Σᵢ wᵢ ∂(−log p(xᵢ|uᵢ))/∂ρ to `out`, by parameter name.
        """
        variance = self.variance(views, U)
        residual = X - self.mean(U)
        log_terms = np.broadcast_to(np.log(variance) + variance.dtype.type(LOG_2PI), X.shape)
        missing = np.isnan(X)
        if has_missing := missing.any():
            residual[missing] = 0
            log_terms = np.where(missing, 0, log_terms)
        scaled = residual / variance
        error = np.einsum("ij,ij->i", residual, scaled)
        error += log_terms.sum(axis=1)
        error *= 0.5

        def pullback(w, out):
            w = w[:, np.newaxis]
            mean_bar = -w * scaled
            if not isinstance(self.sigma, str):
                return mean_bar
            # ∂/∂ρ of ½(r²/σ² + log σ²), dσ²/dρ being 2(σ² − σ_min²).
            slope = 1 - variance.dtype.type(self.sigma_floor**2) / variance
            log_sigma_bar = w * (1 - residual * scaled) * slope
            if has_missing:
                log_sigma_bar[missing] = 0
            if self.sigma == "predict":
                return np.hstack([mean_bar, log_sigma_bar])
            axis = None if self.sigma == "learn" else 0
            out["log_sigma"][...] = log_sigma_bar.sum(axis=axis)
            return mean_bar

        return error, pullback

    def mean(self, U):
        """E[x|u], shape (n, d)."""
        return U[:, : self.n_features]

    def variance(self, views, U):
        """σ², an array of U's dtype that broadcasts to (n, d)."""
        if not isinstance(self.sigma, str):
            return U.dtype.type(self.sigma) ** 2
        rho = U[:, self.n_features :] if self.sigma == "predict" else views["log_sigma"]
        return np.exp(2 * rho) + U.dtype.type(self.sigma_floor**2)

    def sample(self, views, U, rng):
        """A draw of x for each row of U."""
        noise = rng.standard_normal((len(U), self.n_features), dtype=U.dtype)
        return self.mean(U) + np.sqrt(self.variance(views, U)) * noise


class BernoulliLikelihood:
    """x_i ∈ {0, 1} with log-odds u_i: log p(x|u) = xᵀu − Σ_i S(u_i), S(u) = log(1 + eᵘ).

    At x in between it is the cross-entropy with a coin of odds x, and no density.

    Parameters
    ----------
    n_features : int
        Width d of x.
    """

    layout = ParameterLayout({})

    def __init__(self, n_features):
        self.n_features = self.n_outputs = n_features

    def start(self, X, views):
        """The log-odds where z says nothing, and how far they move."""
        mean = np.clip(X.mean(axis=0, dtype=np.float64), 0.01, 0.99)
        return np.log(mean / (1 - mean)), np.ones(self.n_features)

    def evaluate(self, views, U, X):
        """−log p(x|u) of shape (n,), and ``pullback(w, out)``, the cotangent of U."""
        residual = np.empty(U.shape, dtype=U.dtype)
        error = cross_entropy(U, X.astype(U.dtype, copy=False), residual)
        return error, lambda w, out: residual * w[:, np.newaxis]

    def mean(self, U):
        """E[x|u], shape (n, d)."""
        return sigmoid(U)

    def sample(self, views, U, rng):
        """A draw of x for each row of U."""
        return (rng.random(U.shape, dtype=U.dtype) < self.mean(U)).astype(U.dtype)
