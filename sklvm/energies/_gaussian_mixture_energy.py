"""The unnormalised mixture of Gaussians as a model to be trained."""

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from sklvm.energies._linear_latents import OneHotLatents
from sklvm.energies._scale import Scale
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["GaussianMixtureEnergy"]


class GaussianMixtureEnergy(OneHotLatents):
    """−log p̃ of a mixture of K round Gaussians whose factors of normalisation are left out.

    ::

        log p̃(x, z) = zᵀu(x),   u_k(x) = b_k − ‖x − m_k‖²/(2σ_k²),   b_1 = 0,
        log p̃(x) = log Σ_k exp u_k(x),

    z naming the component: one z_k is 1, the others are 0. Component k has the mass
    exp(b_k) (2πσ_k²)^(d/2), so that a change of σ_k changes log Z. Its log Z, posterior and
    maximum-likelihood criterion are known in closed form, which makes it a model on which
    criteria for unnormalised latent-variable models are proved; the toy of [1]_ is K = 2 with one
    σ_k to be learned. Capabilities: marginal, joint, exact posterior, latent states, score,
    Laplacian, exact partition.

    Parameters
    ----------
    n_features : int
        Width d of x.
    n_components : int, default=2
        Number K of components.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x.

    Attributes
    ----------
    layout : ParameterLayout
        ``means`` (K, d), ``log_scale`` (ρ, of shape (K,), see ``Scale``), and ``log_heights``
        (b_2, …, b_K).

    References
    ----------
    .. [1] Rhodes, Gutmann, "Variational noise-contrastive estimation", AISTATS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import GaussianMixtureEnergy
    >>> energy = GaussianMixtureEnergy(1)
    >>> theta = energy.layout.pack(means=0.0, log_scale=np.log([1, 4]), log_heights=np.log([0.25]))
    >>> bool(np.isclose(energy.log_partition(theta), np.log(2 * np.sqrt(2 * np.pi)), atol=1e-5))
    True
    """

    def __init__(self, n_features, n_components=2, sigma_floor=1e-3):
        self.n_features, self.n_components = n_features, n_components
        self.n_terms = n_components
        self.scale = Scale("learn", sigma_floor, (n_components,))
        self.layout = (
            ParameterLayout({"means": (n_components, n_features)})
            + self.scale.layout
            + ParameterLayout({"log_heights": (n_components - 1,)})
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """Means drawn about the mean of X, σ_k² its mean variance, equal masses."""
        mean, variances = column_moments(X, sample_weight)
        draws = rng.standard_normal((self.n_components, self.n_features))
        return self.layout.pack(
            means=mean + np.sqrt(variances) * draws,
            log_scale=self.scale.start(variances.mean()),
            log_heights=0.0,
            dtype=X.dtype,
        )

    def terms(self, theta, X):
        """E₀ = 0, u(x), and their pullback."""
        components = self._components(theta, X)
        nothing = np.zeros(len(X), dtype=components.U.dtype)
        return nothing, components.U, lambda w, U_bar: components.pullback(U_bar)

    # -- score and Laplacian ---------------------------------------------------------------------

    def score(self, theta, X):
        """ψ(x) = Σ_k r_k (m_k − x)/σ_k², r the responsibilities, and ``pullback(V)``."""
        psi, _, pullback = self.score_and_laplacian(theta, X)
        return psi, lambda V: pullback(V, np.zeros(len(X), dtype=X.dtype))

    def score_and_laplacian(self, theta, X):
        """ψ, tr ∇ψ = Σ_k r_k (‖g_k‖² − d/σ_k²) − ‖ψ‖² with g_k = (m_k − x)/σ_k², the pullback."""
        components = self._components(theta, X)
        r, precisions, d = softmax(components.U, axis=1), components.precisions, self.n_features
        slopes = -components.deviations * precisions[:, np.newaxis]
        psi = np.einsum("nk,nkj->nj", r, slopes)
        bends = np.einsum("nkj,nkj->nk", slopes, slopes) - d * precisions
        laplacian = np.einsum("nk,nk->n", r, bends) - np.einsum("nj,nj->n", psi, psi)

        def pullback(V, w):
            w = w[:, np.newaxis]
            # −‖ψ‖² moves with ψ; what is left is Σ_k r_k t_k, and r moves with u.
            V = V - 2 * w * psi
            T = np.einsum("nj,nkj->nk", V, slopes) + w * bends
            U_bar = r * (T - np.einsum("nk,nk->n", r, T)[:, np.newaxis])
            # Of g_k in t_k: V + 2 w g_k.
            slopes_bar = r[:, :, np.newaxis] * (V[:, np.newaxis] + 2 * w[:, :, np.newaxis] * slopes)
            return components.pullback(U_bar, slopes_bar, -d * (w * r).sum(axis=0))

        return psi, laplacian, pullback

    def energy_and_score(self, theta, X):
        """E and ψ, from one pass."""
        components = self._components(theta, X)
        weights = softmax(components.U, axis=1) * components.precisions
        psi = -np.einsum("nk,nkj->nj", weights, components.deviations)
        return -logsumexp(components.U, axis=1), psi

    def curvature(self, theta):
        """The mean of 1/σ_k²."""
        return float(np.mean(1 / self.scale.variance(self.layout.views(theta))))

    # -- tractable --------------------------------------------------------------------------------

    def log_masses(self, theta):
        """b_k + ½ d log 2πσ_k², shape (K,), float64: the logarithms of the components' masses."""
        views = self.layout.views(theta.astype(np.float64))
        return self._heights(views) + 0.5 * self.n_features * np.log(
            2 * np.pi * self.scale.variance(views)
        )

    def log_partition(self, theta):
        """log Z, the logarithm of the sum of masses, in nats."""
        return float(logsumexp(self.log_masses(theta)))

    def log_partition_and_gradient(self, theta):
        """log Z and its gradient: the components' shares of the mass in their logarithms."""
        views = self.layout.views(theta)
        log_masses = self.log_masses(theta)
        shares = softmax(log_masses)
        variances, slopes = self.scale.at(views["log_scale"])
        gradient = self.layout.pack(
            means=0.0,
            log_scale=0.5 * self.n_features * shares * slopes / variances,
            log_heights=shares[1:],
            dtype=theta.dtype,
        )
        return float(logsumexp(log_masses)), gradient

    def sample(self, theta, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        views = self.layout.views(theta)
        shares = np.exp(log_softmax(self.log_masses(theta)))
        chosen = rng.choice(self.n_components, n_samples, p=shares / shares.sum())
        noise = rng.standard_normal((n_samples, self.n_features), dtype=theta.dtype)
        sigma = np.sqrt(self.scale.variance(views))[chosen, np.newaxis]
        return views["means"][chosen] + sigma * noise

    # -- the components ---------------------------------------------------------------------------

    def _heights(self, views):
        return np.concatenate([np.zeros_like(views["log_scale"][:1]), views["log_heights"]])

    def _components(self, theta, X):
        return _Components(self, self.layout.views(theta), X)


class _Components:
    """u_k(x) of the rows of X, what it is made of, and its pullback."""

    def __init__(self, energy, views, X):
        self.energy, self.views = energy, views
        self.precisions = 1 / energy.scale.variance(views)
        self.deviations = X[:, np.newaxis] - views["means"]
        self.squares = np.einsum("nkj,nkj->nk", self.deviations, self.deviations)
        self.U = energy._heights(views) - 0.5 * self.squares * self.precisions

    def pullback(self, U_bar, slopes_bar=None, precisions_bar=0.0):
        """θ's gradient from cotangents of u, of g_k = −(x − m_k)/σ_k², and of 1/σ_k²."""
        precisions_bar = precisions_bar - 0.5 * (U_bar * self.squares).sum(axis=0)
        means_bar = np.einsum("nk,nkj->kj", U_bar, self.deviations)
        if slopes_bar is not None:
            means_bar += slopes_bar.sum(axis=0)
            precisions_bar -= np.einsum("nkj,nkj->k", slopes_bar, self.deviations)
        slopes = self.energy.scale.at(self.views["log_scale"])[1]
        return self.energy.layout.pack(
            means=self.precisions[:, np.newaxis] * means_bar,
            log_scale=-slopes * self.precisions**2 * precisions_bar,
            log_heights=U_bar.sum(axis=0)[1:],
            dtype=self.U.dtype,
        )
