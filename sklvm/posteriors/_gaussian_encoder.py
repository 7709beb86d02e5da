"""A perceptron that maps x to a Gaussian over latent variables: a variational posterior."""

import numpy as np

from sklvm.kernels import standard_normal
from sklvm.networks import MultiLayerPerceptron
from sklvm.statistics import column_moments

__all__ = ["GaussianEncoder", "GaussianPosterior"]

LOG_2PI = np.log(2 * np.pi)
# Of ρ: twenty times the prior's standard deviation. Far from its data a network says anything.
MAX_LOG_SCALE = 3.0


class GaussianEncoder:
    """q(z|x) = N(μ(x), L(x)L(x)ᵀ), μ and L the outputs of a perceptron (Kingma & Welling, 2014).

    L is lower triangular with the positive diagonal exp min(ρ(x), 3), and without more entries if
    diagonal.

    Parameters
    ----------
    n_features : int
        Width of x.
    n_components : int
        Number K of latent variables.
    hidden_layer_sizes : tuple of int, default=()
    activation : str, default="relu"
        Of the hidden layers.
    full : bool, default=False
        Whether L has entries below its diagonal.
    mask_channel : bool, default=False
        Whether x may have missing entries (NaN). They are filled with zeros, and the perceptron
        sees behind x the d indicators of what is missing.

    Attributes
    ----------
    layout : ParameterLayout
        The perceptron's; its outputs are μ, ρ, and the rows of L below the diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.posteriors import GaussianEncoder
    >>> encoder = GaussianEncoder(n_features=3, n_components=2, full=True)
    >>> X, rng = np.eye(3), np.random.default_rng(0)
    >>> posterior = encoder.encode(encoder.init_parameters(X, rng), X)
    >>> posterior.draw(posterior.noise(5, rng)).shape
    (5, 3, 2)
    """

    def __init__(
        self,
        n_features,
        n_components,
        hidden_layer_sizes=(),
        activation="relu",
        full=False,
        mask_channel=False,
    ):
        self.n_components, self.full, self.mask_channel = n_components, full, mask_channel
        self.below_diagonal = np.tril_indices(n_components, -1)
        n_below = len(self.below_diagonal[0]) if full else 0
        self.network = MultiLayerPerceptron(
            ((1 + mask_channel) * n_features, *hidden_layer_sizes, 2 * n_components + n_below),
            (activation,) * len(hidden_layer_sizes) + ("identity",),
            skip_zeros=True,
        )
        self.layout = self.network.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """First-layer units of mean 0 and variance 1 over X, and scales near those of the prior."""
        mean, variances = column_moments(self._inputs(X), sample_weight)
        variance = float(variances.mean())
        theta = np.empty(self.layout.size)
        views = self.layout.views(theta)
        self.network.draw_parameters(views, rng, mean, variance)
        last = self.network.n_layers - 1
        for parameter in (views[f"coefs_{last}"], views[f"intercepts_{last}"]):
            parameter[self.n_components :] *= 0.1
        return theta.astype(X.dtype)

    def encode(self, phi, X):
        """The ``GaussianPosterior`` of the rows of X."""
        views = self.layout.views(phi)
        return GaussianPosterior(self, views, self.network.forward(views, self._inputs(X)))

    def _inputs(self, X):
        return fill_missing(X) if self.mask_channel else X


def fill_missing(X):
    """X with zeros where entries are missing (NaN), and behind it the indicators of these."""
    missing = np.isnan(X)
    return np.hstack([np.where(missing, X.dtype.type(0), X), missing.astype(X.dtype)])


class GaussianPosterior:
    """The Gaussians q(z|x) = N(μ, LLᵀ) of n rows.

    Attributes
    ----------
    outputs : ndarray of shape (n, m)
        μ, ρ = log diag L, and the rows of L below the diagonal.
    mean : ndarray of shape (n, K)
        μ.
    scale : ndarray of shape (n, K)
        The diagonal of L.
    below : ndarray of shape (n, K, K) or None
        L below its diagonal, zero elsewhere; None where L is diagonal.
    """

    is_reparametrized = True

    def __init__(self, encoder, views, passed):
        self._encoder, self._views, self._passed = encoder, views, passed
        K, outputs = encoder.n_components, passed.output
        is_clipped = outputs[:, K : 2 * K] > MAX_LOG_SCALE
        self._is_clipped = is_clipped if is_clipped.any() else None
        if self._is_clipped is not None:
            outputs = outputs.copy()
            outputs[:, K : 2 * K][is_clipped] = MAX_LOG_SCALE
        self.outputs = outputs
        self.mean, self._log_scale = outputs[:, :K], outputs[:, K : 2 * K]
        self.scale = np.exp(self._log_scale)
        self.below = None
        if encoder.full:
            self.below = np.zeros((len(outputs), K, K), dtype=outputs.dtype)
            self.below[:, *encoder.below_diagonal] = outputs[:, 2 * K :]

    def factor(self):
        """L, shape (n, K, K)."""
        factor = np.zeros((*self.scale.shape, self.scale.shape[1]), dtype=self.scale.dtype)
        if self.below is not None:
            factor += self.below
        np.einsum("nkk->nk", factor)[...] = self.scale
        return factor

    # -- draws ------------------------------------------------------------------------------------

    def noise(self, n_draws, rng):
        """ε ~ N(0, I), shape (S, n, K)."""
        n, K = self.mean.shape
        seed = int(rng.integers(2**63))
        draws = standard_normal((n_draws * n, K), seed, dtype=self.mean.dtype)
        return draws.reshape(n_draws, n, K)

    def draw(self, noise):
        """z = μ + Lε, shape (S, n, K), for noise ε of that shape, or (S, 1, K) for all rows."""
        Z = self.scale * noise
        Z += self.mean
        if self.below is not None:
            Z += (self.below @ noise.transpose(1, 2, 0)).transpose(2, 0, 1)
        return Z

    def pull_draw(self, noise, Z_bar, log_density_bar=None):
        """The outputs' cotangent from that of ``draw(noise)``, both along the path of the draws.

        Parameters
        ----------
        noise : ndarray of shape (S, n, K)
        Z_bar : ndarray of shape (S, n, K)
        log_density_bar : ndarray of shape (S, n), default=None
            Cotangent of log q(z|x) at these draws, which move: −½‖ε‖² − Σ_k ρ_k + …
        """
        K = self.scale.shape[1]
        outputs_bar = np.empty_like(self.outputs)
        Z_bar.sum(axis=0, out=outputs_bar[:, :K])
        log_scale_bar = outputs_bar[:, K : 2 * K]
        np.multiply(self.scale, np.einsum("snk,snk->nk", Z_bar, noise), out=log_scale_bar)
        if log_density_bar is not None:
            log_scale_bar -= log_density_bar.sum(axis=0)[:, np.newaxis]
        if self.below is not None:
            below_bar = Z_bar.transpose(1, 2, 0) @ noise.transpose(1, 0, 2)
            outputs_bar[:, 2 * K :] = below_bar[:, *self._encoder.below_diagonal]
        return outputs_bar

    # -- densities --------------------------------------------------------------------------------

    def log_density(self, Z, noise=None):
        """log q(z|x), shape (S, n), for Z of shape (S, n, K) or, for all rows, (S, 1, K)."""
        noise = self._noise_of(Z) if noise is None else noise
        K = self.mean.shape[1]
        constant = self.mean.dtype.type(0.5 * K * LOG_2PI)
        squares = np.einsum("snk,snk->sn", noise, noise)
        return -0.5 * squares - self._log_scale.sum(axis=1) - constant

    def log_density_slope(self, noise):
        """∂ log q(z|x)/∂z = −L⁻ᵀε at z = μ + Lε, shape (S, n, K)."""
        if self.below is None:
            return -noise / self.scale
        transposed = self.factor().transpose(0, 2, 1)
        noise = np.broadcast_to(noise, (len(noise), *self.mean.shape))
        return -np.linalg.solve(transposed, noise.transpose(1, 2, 0)).transpose(2, 0, 1)

    def pull_log_density(self, Z, w, noise=None):
        """Σ_s w_s ∂ log q(z_s|x)/∂outputs, z held fixed: L⁻ᵀε for μ, L⁻ᵀεεᵀ − L⁻¹ for L."""
        noise = self._noise_of(Z) if noise is None else noise
        # A move of μ or L moves ε against that of z; the volume det L goes its own way.
        return self.pull_draw(
            np.broadcast_to(noise, (len(noise), *self.mean.shape)),
            -w[:, :, np.newaxis] * self.log_density_slope(noise),
            w,
        )

    def _noise_of(self, Z):
        """ε = L⁻¹(z − μ)."""
        centred = Z - self.mean
        if self.below is None:
            return centred / self.scale
        return np.linalg.solve(self.factor(), centred.transpose(1, 2, 0)).transpose(2, 0, 1)

    def entropy(self):
        """Σ_k ρ_k + ½ K log 2πe, shape (n,)."""
        K = self.mean.shape[1]
        return self._log_scale.sum(axis=1) + self.mean.dtype.type(0.5 * K * (LOG_2PI + 1))

    def pull_entropy(self, w):
        """w for each ρ_k."""
        K = self.mean.shape[1]
        outputs_bar = np.zeros_like(self.outputs)
        outputs_bar[:, K : 2 * K] = w[:, np.newaxis]
        return outputs_bar

    def divergences(self):
        """½(μ_j² + Σ_l L_jl² − 1) − log L_jj, shape (n, K).

        Their sum over j is KL(q ‖ N(0, I)); one is the expected divergence of z_j given the z
        before it, and so not negative.
        """
        squares = self.mean**2 + self.scale**2
        if self.below is not None:
            squares += np.einsum("nij,nij->ni", self.below, self.below)
        return 0.5 * (squares - 1) - self._log_scale

    def pull_divergences(self, divergences_bar):
        """The outputs' cotangent from that of ``divergences()``, shape (n, K)."""
        K = self.mean.shape[1]
        outputs_bar = np.empty_like(self.outputs)
        np.multiply(divergences_bar, self.mean, out=outputs_bar[:, :K])
        np.multiply(divergences_bar, self.scale**2 - 1, out=outputs_bar[:, K : 2 * K])
        if self.below is not None:
            below_bar = divergences_bar[:, :, np.newaxis] * self.below
            outputs_bar[:, 2 * K :] = below_bar[:, *self._encoder.below_diagonal]
        return outputs_bar

    def pullback(self, outputs_bar, out):
        """Write the encoder's gradient to the vector `out`."""
        if self._is_clipped is not None:
            K = self.mean.shape[1]
            outputs_bar = outputs_bar.copy()
            outputs_bar[:, K : 2 * K][self._is_clipped] = 0
        self._encoder.network.vjp_preactivation(
            self._views, self._passed, outputs_bar, self._encoder.layout.views(out)
        )
