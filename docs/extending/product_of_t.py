"""The product of Student-t experts: an energy, and an estimator made of it."""

from numbers import Real

import numpy as np

from sklvm.energy_based import LatentEnergyBasedModel
from sklvm.layouts import ParameterLayout
from sklvm.settings import Interval


class ProductOfTEnergy:
    """E(x) = ‖x‖²/(2σ²) + Σ_k α_k log(1 + ½u_k²),  u = Wx,  α = exp ρ.

    A product of Student-t experts (Welling, Hinton and Osindero, NIPS 2002), each of them heavy in
    its tails, times a Gaussian that makes it integrable however few experts there are. A t is a
    Gaussian of random precision: E[exp(−½τu²)] = (1 + ½u²)^(−α) for τ ~ Gamma(α, 1).

    Capabilities: marginal, score, Laplacian.
    """

    def __init__(self, n_features, n_components, sigma):
        self.n_features, self.n_components, self.sigma = n_features, n_components, sigma
        self.layout = ParameterLayout(
            {"filters": (n_components, n_features), "log_alpha": (n_components,)},
            decayed=("filters",),
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """Random directions, each with u of unit variance on X, and α = 1."""
        W = rng.standard_normal((self.n_components, self.n_features))
        u = X @ W.T
        mean = np.average(u, axis=0, weights=sample_weight)
        W /= np.sqrt(np.average((u - mean) ** 2, axis=0, weights=sample_weight))[:, np.newaxis]
        return self.layout.pack(filters=W, log_alpha=0.0, dtype=X.dtype)

    def evaluate(self, theta, X):
        W, alpha = self.unpack(theta)
        u = X @ W.T
        log_q = np.log1p(0.5 * u**2)

        def pullback(w):
            slope = w[:, np.newaxis] * alpha * u / (1 + 0.5 * u**2)
            return self._pack(theta, slope.T @ X, alpha * (w @ log_q))

        return np.einsum("ij,ij->i", X, X) / (2 * self.sigma**2) + log_q @ alpha, pullback

    def score(self, theta, X):
        psi, _, pullback = self.score_and_laplacian(theta, X)
        return psi, lambda V: pullback(V, np.zeros_like(X[:, 0]))

    def score_and_laplacian(self, theta, X):
        W, alpha = self.unpack(theta)
        u = X @ W.T
        # Derivatives of f(u) = log(1 + ½u²).
        q = 1 + 0.5 * u**2
        first, second, third = u / q, (2 - q) / q**2, u * (q - 4) / q**3
        squares = np.einsum("kj,kj->k", W, W)
        psi = -X / self.sigma**2 - (alpha * first) @ W
        laplacian = -self.n_features / self.sigma**2 - second @ (alpha * squares)

        def pullback(V, w):
            along, w = V @ W.T, w[:, np.newaxis]
            through_u = along * second + w * third * squares
            through_w = first.T @ V + 2 * (w * second).sum(axis=0)[:, np.newaxis] * W
            through_alpha = (along * first + w * second * squares).sum(axis=0)
            return self._pack(
                theta, -alpha[:, np.newaxis] * (through_u.T @ X + through_w), -alpha * through_alpha
            )

        return psi, laplacian, pullback

    def energy_and_score(self, theta, X):
        return self.evaluate(theta, X)[0], self.score(theta, X)[0]

    def curvature(self, theta):
        return 1 / self.sigma**2

    def posterior(self, theta, X):
        """E[τ_k | x] = α_k / (1 + ½u_k²), for the estimator's ``transform``."""
        W, alpha = self.unpack(theta)
        return alpha / (1 + 0.5 * (X @ W.T) ** 2)

    def unpack(self, theta):
        """The filters w_k (K, d) and the exponents α_k (K,)."""
        views = self.layout.views(theta)
        return views["filters"], np.exp(views["log_alpha"])

    def _pack(self, theta, filters, log_alpha):
        return self.layout.pack(filters=filters, log_alpha=log_alpha, dtype=theta.dtype)


class ProductOfT(LatentEnergyBasedModel):
    """The product of Student-t experts as an estimator."""

    # What the parameters of its own may be; the others are constrained in the base class.
    _parameter_constraints = {"sigma": [Interval(Real, 0, None, closed="neither")]}

    def __init__(
        self,
        n_components=16,
        *,
        sigma=3.0,
        objective="score_matching",
        optimizer="adam",
        weight_decay=0.0,
        max_iter=20,
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        partition="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.sigma = sigma
        self.objective = objective
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.partition = partition
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _make_energy(self, n_features):
        return ProductOfTEnergy(n_features, self.n_components, self.sigma)

    def _model_attributes(self, energy, theta):
        filters, alpha = energy.unpack(theta)
        return {"components_": filters, "alpha_": alpha}
