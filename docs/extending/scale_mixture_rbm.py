"""A restricted Boltzmann machine with heavy tails: a latent energy, and an estimator of it."""

import numpy as np
from product_of_t import ProductOfT

from sklvm.energies import TwoLayers
from sklvm.kernels import sigmoid, standard_normal
from sklvm.layouts import ParameterLayout


class ScaleMixtureRBMEnergy(TwoLayers):
    """E(x, z) = ‖x‖²/(2σ²) − aᵀx − zᵀ(Wx + b − ½ Γ²x²),  z ∈ {0, 1}^K.

    A hidden unit that is on moves the mean of x, by W, and raises its precision, by the squares of
    Γ: given z, x_j is N(m_j/λ_j, 1/λ_j) with λ = 1/σ² + (Γ²)ᵀz and m = a + Wᵀz. A feature is then a
    mixture of Gaussians of different widths, as a Student t is: peaked, with heavy tails.
    """

    def __init__(self, n_features, n_components, sigma):
        self.n_features, self.n_components, self.sigma = n_features, n_components, sigma
        shape = (n_components, n_features)
        self.layout = ParameterLayout(
            {"weights": shape, "gates": shape, "visible_bias": shape[1:], "hidden_bias": shape[:1]},
            decayed=("weights",),
        )

    def init_parameters(self, X, rng, sample_weight=None):
        theta = self.tempered_start(X, sample_weight)
        views = self.layout.views(theta)
        views["weights"][...] = 0.1 * rng.standard_normal(views["weights"].shape)
        views["gates"][...] = 0.5
        return theta

    # -- E₀ and u ---------------------------------------------------------------------------------

    def terms(self, theta, X):
        views = self.layout.views(theta)
        energy = np.einsum("ij,ij->i", X, X) / (2 * self.sigma**2) - X @ views["visible_bias"]
        inputs = X @ views["weights"].T - 0.5 * X**2 @ (views["gates"] ** 2).T

        def pullback(w, U_bar):
            return self.layout.pack(
                weights=U_bar.T @ X,
                gates=-views["gates"] * (U_bar.T @ X**2),
                visible_bias=-(w @ X),
                hidden_bias=U_bar.sum(axis=0),
                dtype=theta.dtype,
            )

        return energy, inputs + views["hidden_bias"], pullback

    # -- the visible side -------------------------------------------------------------------------

    def visible_mean(self, theta, Z):
        views = self.layout.views(theta)
        return (views["visible_bias"] + Z @ views["weights"]) / self._precision(views, Z)

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None):
        noise = standard_normal((len(Z), self.n_features), seed, sweep=sweep, dtype=theta.dtype)
        X = noise / np.sqrt(self._precision(self.layout.views(theta), Z))
        X += self.visible_mean(theta, Z)
        return X if free is None else np.where(free, X, current)

    def _precision(self, views, Z):
        return 1 / self.sigma**2 + Z @ views["gates"] ** 2

    # -- the start of annealing: N(mean of X, σ²I), which no hidden unit changes ------------------

    def tempered_start(self, X, sample_weight=None):
        mean = np.average(X, axis=0, weights=sample_weight)
        bias = mean / self.sigma**2
        return self.layout.pack(weights=0, gates=0, visible_bias=bias, hidden_bias=0, dtype=X.dtype)

    def start_log_partition(self, theta_0, X=None, free=None):
        views, variance = self.layout.views(theta_0.astype(np.float64)), self.sigma**2
        a, hidden = views["visible_bias"], self.sum_hidden(views["hidden_bias"])
        summed = 0.5 * np.log(2 * np.pi * variance) + 0.5 * a**2 * variance
        if free is None:
            return float(summed.sum()) + hidden
        held = X * a - X**2 / (2 * variance)
        return np.where(free, summed, held).sum(axis=1) + hidden


class ScoredScaleMixtureRBMEnergy(ScaleMixtureRBMEnergy):
    """The same with its score, ψ = a − x/σ² + Wᵀs(u) − x ∘ (Γ²)ᵀs(u): x is continuous."""

    def score(self, theta, X):
        views = self.layout.views(theta)
        W, gates = views["weights"], views["gates"]
        _, U, terms_pullback = self.terms(theta, X)
        S = sigmoid(U)
        psi = views["visible_bias"] - X / self.sigma**2 + S @ W - X * (S @ gates**2)

        def pullback(V):
            U_bar = S * (1 - S) * (V @ W.T - (V * X) @ (gates**2).T)
            gradient = terms_pullback(np.zeros_like(V[:, 0]), U_bar)
            out = self.layout.views(gradient)
            out["visible_bias"] += V.sum(axis=0)
            out["weights"] += S.T @ V
            out["gates"] -= 2 * gates * (S.T @ (V * X))
            return gradient

        return psi, pullback

    def energy_and_score(self, theta, X):
        return self.evaluate(theta, X)[0], self.score(theta, X)[0]

    def curvature(self, theta):
        return 1 / self.sigma**2


class ScaleMixtureRBM(ProductOfT):
    """The machine as an estimator: another energy, and other fitted attributes."""

    def _make_energy(self, n_features):
        return ScoredScaleMixtureRBMEnergy(n_features, self.n_components, self.sigma)

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        return {
            "components_": views["weights"],
            "precisions_": views["gates"] ** 2,
            "intercept_visible_": views["visible_bias"],
            "intercept_hidden_": views["hidden_bias"],
        }
