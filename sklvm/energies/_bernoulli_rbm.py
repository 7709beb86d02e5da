"""The energy of the Bernoulli–Bernoulli restricted Boltzmann machine."""

import numpy as np
from scipy.special import logsumexp

from sklvm.kernels import sample_bernoulli, sigmoid, softplus
from sklvm.parameters import ParameterLayout

__all__ = ["BernoulliRBMEnergy"]


class BernoulliRBMEnergy:
    """−log p̃ of the binary restricted Boltzmann machine.

    ::

        log p̃(x, z) = zᵀWx + aᵀx + bᵀz,        x ∈ {0, 1}^d, z ∈ {0, 1}^K,
        log p̃(x) = aᵀx + Σ_k S(w_kᵀx + b_k),

    with w_k the rows of W (shape (K, d)) [1]_. Capabilities: marginal, joint, block Gibbs,
    tempered, enumerable.

    Parameters
    ----------
    n_features : int
        Number d of visible units.
    n_components : int
        Number K of hidden units.

    Attributes
    ----------
    layout : ParameterLayout
        ``weights`` (W), ``visible_bias`` (a), ``hidden_bias`` (b).

    References
    ----------
    .. [1] Smolensky, "Information processing in dynamical systems", 1986; Hinton, "Training
       products of experts by minimizing contrastive divergence", Neural Computation 14 (2002).
    """

    def __init__(self, n_features, n_components):
        self.n_features = n_features
        self.n_components = n_components
        self.n_enumerated_units = min(n_features, n_components)
        self.layout = ParameterLayout(
            {
                "weights": (n_components, n_features),
                "visible_bias": (n_features,),
                "hidden_bias": (n_components,),
            }
        )

    def init_parameters(self, X, rng):
        """W ~ N(0, 0.01²), a the smoothed logits of the means of X, b = 0."""
        weights = 0.01 * rng.standard_normal((self.n_components, self.n_features))
        return self.layout.pack(
            weights=weights, visible_bias=_smoothed_logits(X), hidden_bias=0.0, dtype=X.dtype
        )

    # -- marginal and joint -----------------------------------------------------------------------

    def evaluate(self, theta, X):
        """E(x) = −aᵀx − Σ_k S(w_kᵀx + b_k), and ``pullback(w)``."""
        views = self.layout.views(theta)
        inputs = X @ views["weights"].T + views["hidden_bias"]
        energy = -(X @ views["visible_bias"]) - softplus(inputs).sum(axis=1)
        return energy, lambda w: self._gradient(theta, X, sigmoid(inputs), w)

    def evaluate_joint(self, theta, X, Z):
        """E(x, z) = −zᵀWx − aᵀx − bᵀz, and ``pullback(w)``."""
        views = self.layout.views(theta)
        inputs = X @ views["weights"].T + views["hidden_bias"]
        energy = -(X @ views["visible_bias"]) - np.einsum("ij,ij->i", inputs, Z)
        return energy, lambda w: self._gradient(theta, X, Z, w)

    def posterior(self, theta, X):
        """p(z_k = 1 | x) = s(w_kᵀx + b_k), shape (n, K)."""
        views = self.layout.views(theta)
        return sigmoid(X @ views["weights"].T + views["hidden_bias"])

    def _gradient(self, theta, X, hidden, w):
        """Σᵢ wᵢ ∂E/∂θ where ∂E/∂W = −z xᵀ, with z or its posterior mean."""
        gradient = np.empty_like(theta)
        out = self.layout.views(gradient)
        weighted = -w[:, np.newaxis] * hidden
        np.matmul(weighted.T, X, out=out["weights"])
        np.matmul(-w, X, out=out["visible_bias"])
        weighted.sum(axis=0, out=out["hidden_bias"])
        return gradient

    # -- block Gibbs ------------------------------------------------------------------------------

    def sample_hidden(self, theta, X, seed, sweep=0, *, free=None, current=None):
        """A draw from p(z | x); units where `free` is False keep their entry of `current`."""
        views = self.layout.views(theta)
        return sample_bernoulli(
            X @ views["weights"].T,
            views["hidden_bias"],
            seed,
            sweep=sweep,
            layer=1,
            free=free,
            state=current,
        )

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None):
        """A draw from p(x | z); units where `free` is False keep their entry of `current`."""
        views = self.layout.views(theta)
        return sample_bernoulli(
            Z @ views["weights"],
            views["visible_bias"],
            seed,
            sweep=sweep,
            layer=0,
            free=free,
            state=current,
        )

    # -- tempered: the path of Salakhutdinov & Murray (ICML 2008), eq. 16 --------------------------

    def tempered_start(self, X, sample_weight=None):
        """Independent visible units with the smoothed means of X; W = 0, b = 0."""
        return self.layout.pack(
            weights=0.0,
            visible_bias=_smoothed_logits(X, sample_weight),
            hidden_bias=0.0,
            dtype=X.dtype,
        )

    def temper(self, theta_0, theta, beta):
        """(1 − β) θ₀ + β θ: the energy is linear in θ."""
        return (1 - beta) * theta_0 + beta * theta

    def start_log_partition(self, theta_0):
        """Σ_j S(a_j) + Σ_k S(b_k), where W = 0."""
        views = self.layout.views(theta_0.astype(np.float64))
        return float(softplus(views["visible_bias"]).sum() + softplus(views["hidden_bias"]).sum())

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀), where W = 0."""
        Z = np.zeros((n_samples, self.n_components), dtype=theta_0.dtype)
        return self.sample_visible(theta_0, Z, seed)

    # -- enumerable -------------------------------------------------------------------------------

    def enumerate_log_partition(self, theta):
        """log Σ over the states of the smaller layer, the other one summed out by S."""
        views = self.layout.views(theta.astype(np.float64))
        W, a, b = views["weights"], views["visible_bias"], views["hidden_bias"]
        if self.n_components > self.n_features:
            W, a, b = W.T, b, a
        chunks = []
        for Z in _binary_states(len(b)):
            chunks.append(logsumexp(Z @ b + softplus(Z @ W + a).sum(axis=1)))
        return float(logsumexp(chunks))


def _smoothed_logits(X, sample_weight=None):
    """Logits of (n x̄ + ½)/(n + 1): finite for units that are always on or always off."""
    if sample_weight is None:
        mean = X.mean(axis=0, dtype=np.float64)
    else:
        mean = (sample_weight @ X) / sample_weight.sum(dtype=np.float64)
    on = (len(X) * mean + 0.5) / (len(X) + 1)
    return np.log(on) - np.log1p(-on)


def _binary_states(n_units, chunk=14):
    """All of {0, 1}^n_units, in blocks of at most 2^chunk rows."""
    low = min(n_units, chunk)
    block = (np.arange(2**low)[:, np.newaxis] >> np.arange(low)) & 1
    for high in range(2 ** (n_units - low)):
        rest = (high >> np.arange(n_units - low)) & 1
        yield np.hstack([block, np.broadcast_to(rest, (len(block), len(rest)))]).astype(np.float64)
