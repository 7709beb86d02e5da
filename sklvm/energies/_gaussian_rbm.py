"""The energy of the Gaussian–Bernoulli restricted Boltzmann machine."""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from sklvm.energies._binary_states import (
    binary_states,
    draw_binary_states,
    enumerate_gradient,
    sum_over_states,
)
from sklvm.energies._scale import Scale
from sklvm.energies._spread_directions import spread_directions
from sklvm.energies._two_layers import TwoLayers
from sklvm.kernels import sigmoid, softplus, standard_normal
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["GaussianRBMEnergy"]

# Gradient descent moves log σ² at RATE² = 1/10 of the common rate.
RATE = 10**-0.5


class GaussianRBMEnergy(TwoLayers):
    """−log p̃ of the restricted Boltzmann machine with real visible and binary hidden units.

    ::

        log p̃(x, z) = −Σ_j (x_j − a_j)²/(2σ_j²) + Σ_jk z_k W_kj x_j/σ_j² + bᵀz,
        log p̃(x) = −Σ_j (x_j − a_j)²/(2σ_j²) + Σ_k S(Σ_j W_kj x_j/σ_j² + b_k),
        p(x | z) = N(a + Wᵀz, diag σ²),

    a mixture of 2^K Gaussians whose means share the rows w_k of W (shape (K, d)) [1]_, [2]_.
    Capabilities: marginal, joint, independent binary latents, score, Laplacian, directional
    curvature, Gibbs, tempered, exact partition over the hidden states, clamped partition,
    centred.

    Parameters
    ----------
    n_features : int
        Number d of visible units.
    n_components : int
        Number K of hidden units.
    sigma : float, "learn" or "learn_diagonal", default="learn"
        σ, in the units of x. "learn" trains one for all features, "learn_diagonal" one for each;
        see ``Scale``.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x; used where σ is learned.

    Attributes
    ----------
    layout : ParameterLayout
        ``weights`` (W), ``visible_bias`` (a), ``hidden_bias`` (b), and ``log_scale`` (ρ, where
        learned).

    References
    ----------
    .. [1] Melchior, Wang, Wiskott, "Gaussian-binary restricted Boltzmann machines for modeling
       natural image statistics", PLoS ONE 12(2), 2017.
    .. [2] Cho, Ilin, Raiko, "Improved learning of Gaussian-Bernoulli restricted Boltzmann
       machines", ICANN 2011: the scaling of W by σ², and log σ² as parameter.
    """

    def __init__(self, n_features, n_components, sigma="learn", sigma_floor=1e-3):
        self.n_features = n_features
        self.n_components = n_components
        self.n_terms = 2**n_components
        shape = (n_features,) if sigma == "learn_diagonal" else ()
        self.scale = Scale(sigma, sigma_floor, shape, RATE)
        shapes = {
            "weights": (n_components, n_features),
            "visible_bias": (n_features,),
            "hidden_bias": (n_components,),
        }
        self.layout = ParameterLayout(shapes, decayed=("weights",)) + self.scale.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """A start near the Gaussian N(mean of X, σ²I), after Melchior et al.

        A learned σ² is the variance of X. Rows of W, over σ, are orthonormal directions, then their
        opposites, then others, as long as those of entries uniform in ±√(6/(d + K)), √(2d/(d + K)):
        spread like that, few hidden units end at the same place. The bias b_k = log τ − Σ_j W_kj
        (2a_j + W_kj)/(2σ_j²) gives the component of unit k alone τ times the weight of that of
        none, τ = 1/K within .01 and .1.
        """
        theta = self.tempered_start(X, sample_weight).astype(np.float64)
        views = self.layout.views(theta)
        precision = self._precision(views)
        W, a = views["weights"], views["visible_bias"]
        length = np.sqrt(2 * self.n_features / (self.n_features + self.n_components))
        W[...] = length / np.sqrt(precision) * spread_directions(*W.shape, rng)
        weight = np.clip(1 / self.n_components, 0.01, 0.1)
        views["hidden_bias"][...] = np.log(weight) - (W * (a + 0.5 * W)) @ precision
        return theta.astype(X.dtype)

    # -- σ ----------------------------------------------------------------------------------------

    def variances(self, theta):
        """σ² of each feature, shape (d,), float64."""
        return 1 / self._precision(self.layout.views(theta.astype(np.float64)))

    def _precision(self, views):
        """1/σ², shape (d,)."""
        precision = 1 / self.scale.variance(views)
        return precision if precision.ndim else np.full(self.n_features, precision)

    def _pull_precision(self, views, precision, precision_bar, out):
        """Write ρ's gradient from the cotangent of 1/σ², shape (d,)."""
        self.scale.pull(views, -(precision**2) * precision_bar, out)

    # -- linear in z ------------------------------------------------------------------------------

    def terms(self, theta, X):
        """E₀(x) = Σ_j (x_j − a_j)²/(2σ_j²), u_k = Σ_j W_kj x_j/σ_j² + b_k, and their pullback."""
        views, precision, inputs = self._inputs(theta, X)
        energy = self._visible_energy(views, precision, X)
        return energy, inputs, partial(self._pull_terms, theta, X)

    def _pull_terms(self, theta, X, w, U_bar):
        views = self.layout.views(theta)
        precision, a = self._precision(views), views["visible_bias"]
        gradient = np.empty_like(theta)
        out = self.layout.views(gradient)
        products = U_bar.T @ X
        np.multiply(products, precision, out=out["weights"])
        U_bar.sum(axis=0, out=out["hidden_bias"])
        out["visible_bias"][...] = precision * (w.sum() * a - w @ X)
        if self.scale.is_learned:
            squares = X - a
            squares *= squares
            precision_bar = 0.5 * (w @ squares)
            precision_bar += np.einsum("kj,kj->j", products, views["weights"])
            self._pull_precision(views, precision, precision_bar, out)
        return gradient

    def posterior_logits(self, theta, X):
        """u, shape (n, K)."""
        return self._inputs(theta, X)[2]

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ: without the product that gives u."""
        X, Z = blocks
        w, weighted = sum_over_states(w, Z)
        return self._pull_terms(theta, X, w, -weighted)

    def visible_mean(self, theta, Z):
        """E[x | z] = a + Wᵀz, shape (n, d)."""
        views = self.layout.views(theta)
        return Z @ views["weights"] + views["visible_bias"]

    def visible_energy(self, theta, X, bias=None):
        """E₀(x), shape (n,); with `bias` in the place of a, where it is given."""
        views = self.layout.views(theta) | ({} if bias is None else {"visible_bias": bias})
        return self._visible_energy(views, self._precision(views), X)

    def visible_entropy(self, theta, means):
        """½ log 2πσ²: an entropy, less the ½ that the noise adds to E₀; broadcasts to (n, d)."""
        return 0.5 * np.log(2 * np.pi / self._precision(self.layout.views(theta)))

    def _inputs(self, theta, X):
        views = self.layout.views(theta)
        precision = self._precision(views)
        inputs = (X * precision) @ views["weights"].T
        inputs += views["hidden_bias"]
        return views, precision, inputs

    @staticmethod
    def _visible_energy(views, precision, X):
        centred = X - views["visible_bias"]
        return 0.5 * np.einsum("ij,ij,j->i", centred, centred, precision)

    # -- score and second derivatives ------------------------------------------------------------

    def score(self, theta, X):
        """ψ_j(x) = (a_j + (Wᵀs(u))_j − x_j)/σ_j², and ``pullback(V)``."""
        psi, _, pullback = self.score_and_laplacian(theta, X)
        return psi, lambda V: pullback(V, np.zeros(len(X), dtype=X.dtype))

    def energy_and_score(self, theta, X):
        """E and ψ, from one product with W."""
        views, precision, inputs = self._inputs(theta, X)
        energy = self._visible_energy(views, precision, X) - softplus(inputs).sum(axis=1)
        return energy, precision * (self.visible_mean(theta, sigmoid(inputs)) - X)

    def curvature(self, theta):
        """The mean of 1/σ²."""
        return float(np.mean(self._precision(self.layout.views(theta))))

    def score_and_laplacian(self, theta, X):
        """ψ, tr ∇ψ = −Σ_j 1/σ_j² + Σ_k s′(u_k) Σ_j W_kj²/σ_j⁴, and ``pullback(V, w)``."""
        W, precision, s, psi = self._score(theta, X)
        slope = s * (1 - s)
        squared_lengths = W**2 @ precision**2
        laplacian = slope @ squared_lengths - precision.sum()

        def pullback(V, w):
            length_bar = 2 * (w @ slope)[:, np.newaxis] * W * precision
            curvature_bar = w[:, np.newaxis] * squared_lengths
            return self._score_gradient(theta, X, s, psi, V, curvature_bar, length_bar, w.sum())

        return psi, laplacian, pullback

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ, Σ_v [Σ_k s′(u_k) (Σ_j W_kj v_j/σ_j²)² − Σ_j v_j²/σ_j²], and ``pullback(V, w)``."""
        W, precision, s, psi = self._score(theta, X)
        slope = s * (1 - s)
        along = directions @ (W * precision).T
        squared_lengths = np.einsum("mik,mik->ik", along, along)
        curvature = np.einsum("ik,ik->i", slope, squared_lengths)
        curvature -= np.einsum("mij,mij,j->i", directions, directions, precision)

        def pullback(V, w):
            along_bar = 2 * w[:, np.newaxis] * slope * along
            products = np.tensordot(along_bar, directions, axes=([0, 1], [0, 1]))
            curvature_bar = w[:, np.newaxis] * squared_lengths
            traces = np.einsum("i,mij,mij->j", w, directions, directions)
            return self._score_gradient(theta, X, s, psi, V, curvature_bar, products, traces)

        return psi, curvature, pullback

    def _score(self, theta, X):
        views, precision, inputs = self._inputs(theta, X)
        s = sigmoid(inputs)
        return views["weights"], precision, s, precision * (self.visible_mean(theta, s) - X)

    def _score_gradient(self, theta, X, s, psi, V, curvature_bar, products, traces):
        """θ's gradient from ψ's, V, and from that of a second derivative along directions v.

        That is `curvature_bar` for s′(u), `products` for W/σ² as it multiplies the directions, and
        −`traces` for 1/σ².
        """
        views = self.layout.views(theta)
        precision, W = self._precision(views), views["weights"]
        gradient = np.empty_like(theta)
        out = self.layout.views(gradient)
        scaled = V * precision
        # The cotangent of u: ψ moves with s(u), its derivative with s′(u).
        u_bar = s * (1 - s) * (scaled @ W.T + (1 - 2 * s) * curvature_bar)
        products = products + u_bar.T @ X
        out["weights"][...] = s.T @ scaled + products * precision
        scaled.sum(axis=0, out=out["visible_bias"])
        u_bar.sum(axis=0, out=out["hidden_bias"])
        if self.scale.is_learned:
            precision_bar = np.einsum("ij,ij->j", V, psi) / precision - traces
            precision_bar += np.einsum("kj,kj->j", W, products)
            self._pull_precision(views, precision, precision_bar, out)
        return gradient

    # -- visible units given hidden ones ----------------------------------------------------------

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None, bias=None):
        """A draw from p(x | z), `bias` in the place of a; `free` as in ``TwoLayers``."""
        views = self.layout.views(theta)
        X = standard_normal((len(Z), self.n_features), seed, sweep=sweep, dtype=theta.dtype)
        X *= np.sqrt(1 / self._precision(views))
        X += Z @ views["weights"]
        X += views["visible_bias"] if bias is None else bias
        return X if free is None else np.where(free, X, current)

    # -- centred: (x − μ)/σ² and z − λ, so that a = a_c − Wᵀλ and b = b_c − W(μ/σ²) ----------------

    def centre_gradient(self, theta, gradient, offsets):
        """∇W − λ(∇a)ᵀ − ∇b (μ/σ²)ᵀ in W, and in ρ the share of b that goes with σ."""
        visible_offset, hidden_offset = offsets
        views, out = self.layout.views(theta), self.layout.views(gradient)
        precision = self._precision(views)
        left = np.column_stack([hidden_offset, out["hidden_bias"]])
        out["weights"] -= left @ np.stack([out["visible_bias"], visible_offset * precision])
        if self.scale.is_learned:
            precision_bar = -visible_offset * (out["hidden_bias"] @ views["weights"])
            of_biases = {"log_scale": np.empty_like(out["log_scale"])}
            self._pull_precision(views, precision, precision_bar, of_biases)
            out["log_scale"] += of_biases["log_scale"]

    def centre_change(self, theta, change, offsets):
        """Δa = Δa_c − ΔWᵀλ and Δb = Δb_c − ΔW μ/σ² − W μ Δ(1/σ²), σ in ΔW's term being the new one.

        Not linear in the change where σ moves, too.
        """
        visible_offset, hidden_offset = offsets
        views, out = self.layout.views(theta), self.layout.views(change)
        before = after = self._precision(views)
        if self.scale.is_learned:
            after = self._precision({"log_scale": views["log_scale"] + out["log_scale"]})
            out["hidden_bias"] -= views["weights"] @ (visible_offset * (after - before))
        out["hidden_bias"] -= out["weights"] @ (visible_offset * after)
        out["visible_bias"] -= hidden_offset @ out["weights"]

    # -- tempered ---------------------------------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """N(mean of X, σ²I) with W = 0, b = 0; where σ² is learned, it is the variance of X."""
        mean, variances = column_moments(X, sample_weight)
        variances = np.maximum(variances, max(1e-4 * variances.mean(), self.scale.floor**2))
        if self.scale.sigma == "learn":
            variances = variances.mean()
        return self.layout.pack(
            weights=0.0,
            visible_bias=mean,
            hidden_bias=0.0,
            **self.scale.start_values(variances),
            dtype=X.dtype,
        )

    def start_log_partition(self, theta_0, X=None, free=None):
        """Σ_j ½ log 2πσ_j² + Σ_k S(b_k), where W = 0; a held unit has −(x_j − a_j)²/(2σ_j²)."""
        views = self.layout.views(theta_0.astype(np.float64))
        precision, hidden = self._precision(views), self.sum_hidden(views["hidden_bias"])
        log_volumes = 0.5 * np.log(2 * np.pi / precision)
        if free is None:
            return float(log_volumes.sum()) + hidden
        held = -0.5 * (X - views["visible_bias"]) ** 2 * precision
        return np.where(free, log_volumes, held).sum(axis=1) + hidden

    # -- exact partition --------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Σ_z ∫ p̃(x, z) dx: a Gaussian integral for every state of the hidden units."""
        all_free = np.ones((1, self.n_features), dtype=bool)
        return float(self.log_clamped_partition(theta, 0.0 * all_free, all_free[0])[0])

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], by sums over the states of the hidden units."""
        wide = theta.astype(np.float64)
        states = binary_states(self.n_components, self.n_features)
        log_z, gradient = enumerate_gradient(self.evaluate_hidden(wide, Z) for Z in states)
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws: a state of the hidden units, and x given that."""
        wide = theta.astype(np.float64)
        shape = self.n_components, self.n_features
        Z = draw_binary_states(
            shape[0], lambda Z: self.evaluate_hidden(wide, Z)[0], shape[1], n_samples, rng
        )
        return self.sample_visible(theta, Z.astype(theta.dtype), int(rng.integers(2**63)))

    def evaluate_hidden(self, theta, Z):
        """E(z) = −log ∫ p̃(x, z) dx, and its pullback."""
        views = self.layout.views(theta)
        precision = self._precision(views)
        W, a = views["weights"], views["visible_bias"]
        shift = Z @ W
        twice_moment = shift * (2 * a + shift)
        log_volume = 0.5 * np.log(2 * np.pi / precision).sum()
        energy = -(Z @ views["hidden_bias"]) - 0.5 * twice_moment @ precision - log_volume

        def pullback(w):
            gradient = np.empty_like(theta)
            out = self.layout.views(gradient)
            weighted = w[:, np.newaxis] * Z
            out["weights"][...] = -(weighted.T @ (a + shift)) * precision
            out["visible_bias"][...] = -(w @ shift) * precision
            out["hidden_bias"][...] = -weighted.sum(axis=0)
            if self.scale.is_learned:
                precision_bar = 0.5 * (w.sum() / precision - w @ twice_moment)
                self._pull_precision(views, precision, precision_bar, out)
            return gradient

        return energy, pullback

    def n_clamped_terms(self, free):
        """Of the sum in ``log_clamped_partition``."""
        return self.n_terms

    def log_clamped_partition(self, theta, X, free):
        """log ∫ p̃(x) over the free units, the others held at the rows of X.

        Given z, with m = Wᵀz, unit j integrates to √(2πσ_j²) exp((a_j m_j + m_j²/2)/σ_j²).

        Parameters
        ----------
        theta : ndarray
        X : ndarray of shape (n, d)
            Its free entries are not looked at.
        free : ndarray of bool of shape (d,)

        Returns
        -------
        log_integrals : ndarray of shape (n,), float64
            In nats.
        """
        views = self.layout.views(theta.astype(np.float64))
        precision = self._precision(views)
        W, a = views["weights"], views["visible_bias"]
        held, held_precision = X[:, ~free].astype(np.float64), precision[~free]
        inputs = (held * held_precision) @ W[:, ~free].T + views["hidden_bias"]
        W, log_sums = W[:, free], []
        for Z in binary_states(self.n_components, max(len(X), self.n_features)):
            shift = Z @ W
            visible = (shift * (a[free] + 0.5 * shift)) @ precision[free]
            log_sums.append(logsumexp(inputs @ Z.T + visible, axis=1))
        constant = 0.5 * np.log(2 * np.pi / precision[free]).sum()
        held_energy = 0.5 * (held - a[~free]) ** 2 @ held_precision
        return logsumexp(log_sums, axis=0) + constant - held_energy
