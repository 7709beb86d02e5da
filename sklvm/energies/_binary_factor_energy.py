"""Binary factors under Gaussian noise, with a factorial posterior."""

import numpy as np
from scipy.special import logsumexp

from sklvm.energies._binary_states import binary_states
from sklvm.energies._scale import Scale
from sklvm.kernels import sigmoid, softplus
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["BinaryFactorEnergy"]


class BinaryFactorEnergy:
    """z_k ∈ {0, 1} with log-odds c_k, x|z ~ N(a + Wz, σ²I), and q(z_k = 1|x) = s(v_kᵀx + b_k).

    Its −log p(x) is a sum over 2^K states. The variational bound is

    ::

        F(x) = E_q[−log p(x, z) + log q(z|x)] ≥ −log p(x)
             = (‖x − a − Ws‖² + Σ_k ‖w_k‖² s_k(1 − s_k)) / (2σ²) + ½ d log 2πσ²
               + Σ_k [s_k u_k − S(u_k) − s_k c_k + S(c_k)],   u = Vx + b,  s = S′(u),

    exactly, without draws. Tied weights v_k = w_k/σ² give the posterior itself where the w_k are
    orthogonal, with b_k = c_k − (w_kᵀa + ½‖w_k‖²)/σ². Capabilities: joint, variational posterior,
    bound, exact partition (log Z = 0); log p(x) by enumeration.

    Parameters
    ----------
    n_features : int
        Width d of x.
    n_components : int
        Number K of factors.
    sigma : float or "learn", default="learn"
        σ; see ``Scale``.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x; used where σ is learned.
    tied : bool, default=True
        Whether V = Wᵀ/σ², or has parameters of its own.
    learn_prior : bool, default=False
        Whether c is learned, or 0: probabilities of ½.

    Attributes
    ----------
    layout : ParameterLayout
        ``weights`` (Wᵀ, of shape (K, d)), ``visible_bias`` (a), ``hidden_bias`` (b), and where
        they are learned ``encoder_weights`` (V, of shape (K, d)), ``log_scale`` (ρ) and
        ``prior_log_odds`` (c).
    """

    n_terms = 1

    def __init__(
        self,
        n_features,
        n_components,
        sigma="learn",
        sigma_floor=1e-3,
        tied=True,
        learn_prior=False,
    ):
        self.n_features, self.n_components = n_features, n_components
        self.scale = Scale(sigma, sigma_floor)
        self.tied, self.learn_prior = tied, learn_prior
        shapes = {
            "weights": (n_components, n_features),
            "visible_bias": (n_features,),
            "hidden_bias": (n_components,),
        }
        if not tied:
            shapes["encoder_weights"] = (n_components, n_features)
        shapes.update(self.scale.layout)
        if learn_prior:
            shapes["prior_log_odds"] = (n_components,)
        decayed = {"weights", "encoder_weights"} & shapes.keys()
        self.layout = ParameterLayout(shapes, decayed=decayed)

    def init_parameters(self, X, rng, sample_weight=None):
        """Random w_k that explain half of X's variance, each with the posterior of it alone."""
        mean, variances = column_moments(X, sample_weight)
        deviations = np.sqrt(variances)
        theta = np.zeros(self.layout.size)
        views = self.layout.views(theta)
        W = views["weights"]
        W[...] = rng.standard_normal(W.shape) * deviations * np.sqrt(2 / self.n_components)
        views["visible_bias"][...] = mean - 0.5 * W.sum(axis=0)
        for name, start in self.scale.start_values(0.5 * np.mean(deviations**2)).items():
            views[name][...] = start
        variance = self.scale.variance(views)
        pull = W @ views["visible_bias"] + 0.5 * (W * W).sum(axis=1)
        views["hidden_bias"][...] = -pull / variance
        if not self.tied:
            views["encoder_weights"][...] = W / variance
        return theta.astype(X.dtype)

    def bound(self, theta, X):
        """F of shape (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂F(xᵢ)/∂θ."""
        views = self.layout.views(theta)
        W, variance, log_odds = views["weights"], self.scale.variance(views), self._log_odds(views)
        U, _ = self.encoder_logits(theta, X)
        S = sigmoid(U)
        slopes = S * (1 - S)
        squared_norms = np.einsum("kj,kj->k", W, W)
        residual = X - views["visible_bias"]
        residual -= S @ W
        errors = np.einsum("ij,ij->i", residual, residual) + slopes @ squared_norms
        half = W.dtype.type(0.5)
        bound = half * errors / variance
        bound += half * self.n_features * np.log(W.dtype.type(2 * np.pi) * variance)
        bound += (S * (U - log_odds) - softplus(U) + softplus(log_odds)).sum(axis=1)

        def pullback(w):
            gradient = np.zeros_like(theta)
            out = self.layout.views(gradient)
            w = w[:, np.newaxis]
            scaled = w * residual
            scaled /= variance
            U_bar = w * (half * squared_norms * (1 - 2 * S) / variance + U - log_odds)
            U_bar -= scaled @ W.T
            U_bar *= slopes
            out["weights"][...] = -(S.T @ scaled)
            out["weights"] += W * ((w * slopes).sum(axis=0) / variance)[:, np.newaxis]
            out["visible_bias"][...] = -scaled.sum(axis=0)
            per_row = half * (self.n_features - errors / variance) / variance
            self._pull_encoder(views, variance, X, U_bar, out, w[:, 0] @ per_row)
            if self.learn_prior:
                out["prior_log_odds"][...] = (w * (sigmoid(log_odds) - S)).sum(axis=0)
            return gradient

        return bound, pullback

    def encoder_logits(self, theta, X):
        """u = Vx + b of q(z_k = 1|x) = s(u_k), shape (n, K), and ``pullback(U_bar)``."""
        views = self.layout.views(theta)
        variance = self.scale.variance(views)
        V = views["weights"] / variance if self.tied else views["encoder_weights"]

        def pullback(U_bar):
            gradient = np.zeros_like(theta)
            out = self.layout.views(gradient)
            self._pull_encoder(views, variance, X, U_bar, out)
            return gradient

        return X @ V.T + views["hidden_bias"], pullback

    def _pull_encoder(self, views, variance, X, U_bar, out, variance_bar=0.0):
        """Add to `out` what goes through u and, as `variance_bar`, through σ²."""
        V_bar = U_bar.T @ X
        out["hidden_bias"] += U_bar.sum(axis=0)
        if self.tied:
            out["weights"] += V_bar / variance
            variance_bar = variance_bar - np.vdot(V_bar, views["weights"]) / variance**2
        else:
            out["encoder_weights"] += V_bar
        self.scale.pull(views, variance_bar, out)

    def evaluate_joint(self, theta, X, Z):
        """E(x, z) = −log p(x, z), and ``pullback(w)``; Z of shape (n, K) or (S, n, K)."""
        views = self.layout.views(theta)
        variance, log_odds = self.scale.variance(views), self._log_odds(views)
        half, d = theta.dtype.type(0.5), self.n_features
        residual = X - views["visible_bias"] - Z @ views["weights"]
        errors = np.einsum("...j,...j->...", residual, residual)
        energies = half * (errors / variance + d * np.log(theta.dtype.type(2 * np.pi) * variance))
        energies += softplus(log_odds).sum() - Z @ log_odds

        def pullback(w):
            gradient = np.zeros_like(theta)
            out = self.layout.views(gradient)
            scaled = (w[..., np.newaxis] * residual / variance).reshape(-1, d)
            states = Z.reshape(-1, self.n_components)
            out["weights"][...] = -(states.T @ scaled)
            out["visible_bias"][...] = -scaled.sum(axis=0)
            self.scale.pull(views, np.vdot(w, half * (d - errors / variance) / variance), out)
            if self.learn_prior:
                prior = sigmoid(log_odds)
                out["prior_log_odds"][...] = w.sum() * prior - w.ravel() @ states
            return gradient

        return energies, pullback

    def visible_mean(self, theta, Z):
        """E[x|z] = a + Wz, shape (n, d)."""
        views = self.layout.views(theta)
        return Z @ views["weights"] + views["visible_bias"]

    def sample(self, theta, n_samples, rng):
        """Independent draws, shape (n_samples, n_features)."""
        means = self.sample_means(theta, n_samples, rng)
        noise = rng.standard_normal(means.shape, dtype=theta.dtype)
        return means + np.sqrt(self.scale.variance(self.layout.views(theta))) * noise

    def sample_means(self, theta, n_samples, rng):
        """E[x | z] at independent draws of z, shape (n_samples, n_features)."""
        uniform = rng.random((n_samples, self.n_components), dtype=theta.dtype)
        Z = uniform < sigmoid(self._log_odds(self.layout.views(theta)))
        return self.visible_mean(theta, Z.astype(theta.dtype))

    def log_partition(self, theta):
        """0: p(x, z) is normalised as it is."""
        return 0.0

    def log_partition_and_gradient(self, theta):
        """Both 0."""
        return 0.0, np.zeros_like(theta)

    def log_joint(self, theta, X, Z):
        """log p(x, z) of every row of X with every row of Z, shape (n, n_states)."""
        views = self.layout.views(theta)
        variance, log_odds = self.scale.variance(views), self._log_odds(views)
        means = self.visible_mean(theta, Z)
        log_prior = Z @ log_odds - softplus(log_odds).sum()
        log_prior -= 0.5 * (means * means).sum(axis=1) / variance
        log_joint = X @ (means.T / variance) + log_prior
        log_joint -= 0.5 * (X * X).sum(axis=1, keepdims=True) / variance
        log_joint -= 0.5 * self.n_features * np.log(theta.dtype.type(2 * np.pi) * variance)
        return log_joint

    def log_density(self, theta, X):
        """log p(x) of shape (n,), by the sum over all 2^K states."""
        total = np.full(len(X), -np.inf, dtype=theta.dtype)
        for Z in binary_states(self.n_components, n_entries_a_state=len(X)):
            log_joint = self.log_joint(theta, X, Z.astype(theta.dtype))
            np.logaddexp(total, logsumexp(log_joint, axis=1), out=total)
        return total

    def _log_odds(self, views):
        if self.learn_prior:
            return views["prior_log_odds"]
        return np.zeros(self.n_components, dtype=views["weights"].dtype)
