"""How features scatter around what a decoder says: Gaussian and Bernoulli likelihoods.

A likelihood is a density p(x|u) of x given the outputs u of a network. Entries of x that are
missing (NaN) are no part of it.
"""

import numpy as np

from sklvm.energies._scale import Scale
from sklvm.kernels import cross_entropy, sigmoid
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["BernoulliLikelihood", "GaussianLikelihood"]

LOG_2PI = np.log(2 * np.pi)


class GaussianLikelihood:
    """x ~ N(m, diag σ²), m the network's first d outputs.

    Parameters
    ----------
    n_features : int
        Width d of x.
    sigma : float or {"learn", "learn_diagonal", "predict"}, default="learn"
        σ, in the units of x: given, one learned, one learned for each feature, or predicted: ρ (see
        ``Scale``) is then the network's last d outputs.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x; used where σ is learned.

    Attributes
    ----------
    n_outputs : int
        How many outputs the network has to have.
    layout : ParameterLayout
        ``log_scale`` (ρ), where it is a parameter.
    """

    def __init__(self, n_features, sigma="learn", sigma_floor=1e-3):
        self.n_features = n_features
        self.scale = Scale(sigma, sigma_floor, (n_features,) if sigma == "learn_diagonal" else ())
        self.is_predicted = sigma == "predict"
        self.n_outputs = 2 * n_features if self.is_predicted else n_features
        self.layout = self.scale.layout

    def start(self, X, views, sample_weight=None):
        """The network's outputs where z says nothing, and how far they move; sets ρ in `views`."""
        mean, variances = column_moments(X, sample_weight)
        variance = float(variances.mean())
        for name, start in self.scale.start_values(variance).items():
            views[name][...] = start
        spread = np.full(self.n_features, np.sqrt(variance))
        if not self.is_predicted:
            return mean, spread
        log_scales = np.full(self.n_features, self.scale.start(variance))
        return np.append(mean, log_scales), np.append(spread, 0 * spread)

    def evaluate(self, views, U, X):
        """−log p(x|u) of shape (n,), and ``pullback(w, out)``, the cotangent of U.

        The pullback writes Σᵢ wᵢ ∂(−log p(xᵢ|uᵢ))/∂ρ to `out`, by parameter name.
        """
        variance = self.variance(views, U)
        residual = X - self.mean(U)
        log_terms = np.log(variance) + variance.dtype.type(LOG_2PI)
        missing = np.isnan(X)
        if missing.any():
            residual[missing] = 0
            observed, n_observed = ~missing, (~missing).sum(axis=1, dtype=U.dtype)
            log_terms = np.where(missing, 0, log_terms)
        else:
            observed, n_observed = True, self.n_features
        scaled = residual / variance
        squares = np.einsum("ij,ij->i", residual, scaled)
        is_shared = log_terms.ndim == 0
        log_volume = self.n_features * log_terms if is_shared else log_terms.sum(axis=-1)
        error = 0.5 * (squares + log_volume)

        def pullback(w, out):
            mean_bar = -w[:, np.newaxis] * scaled
            if not self.scale.is_learned:
                return mean_bar
            # ∂/∂σ² of ½(r²/σ² + log σ²) is (1 − r²/σ²)/(2σ²).
            if self.is_predicted:
                excess = w[:, np.newaxis] * (observed - residual * scaled)
                return np.hstack([mean_bar, excess * (0.5 * self._predicted(U)[1] / variance)])
            if variance.ndim == 0:
                excess = w @ (n_observed - squares)
            else:
                excess = w @ (observed - residual * scaled)
            self.scale.pull(views, 0.5 * excess / variance, out)
            return mean_bar

        return error, pullback

    def mean(self, U):
        """E[x|u], shape (n, d)."""
        return U[:, : self.n_features]

    def variance(self, views, U):
        """σ², an array of U's dtype that broadcasts to (n, d)."""
        return self._predicted(U)[0] if self.is_predicted else self.scale.variance(views)

    def _predicted(self, U):
        """σ² of each entry, and its slope in ρ."""
        return self.scale.at(U[:, self.n_features :])

    def sample(self, views, U, rng):
        """A draw of x for each row of U."""
        noise = rng.standard_normal((len(U), self.n_features), dtype=U.dtype)
        return self.mean(U) + np.sqrt(self.variance(views, U)) * noise


class BernoulliLikelihood:
    """x_i ∈ {0, 1} with log-odds u_i: log p(x|u) = xᵀu − Σ_i S(u_i), S(u) = log(1 + eᵘ).

    At x in between it is the cross-entropy with a coin of probability x, and no density.

    Parameters
    ----------
    n_features : int
        Width d of x.
    """

    layout, scale = ParameterLayout({}), None

    def __init__(self, n_features):
        self.n_features = self.n_outputs = n_features

    def start(self, X, views, sample_weight=None):
        """The log-odds where z says nothing, and how far they move."""
        shares = np.ones(len(X)) if sample_weight is None else sample_weight
        mean = np.clip(((shares / shares.sum()) @ X).astype(np.float64), 0.01, 0.99)
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
