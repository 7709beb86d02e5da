"""A perceptron that maps x to a Gaussian over latent variables: a variational posterior."""

import numpy as np

from sklvm.networks import MultiLayerPerceptron
from sklvm.statistics import column_moments

__all__ = ["GaussianEncoder", "GaussianPosterior"]

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

    def init_parameters(self, X, rng):
        """First-layer units of mean 0 and variance 1 over X, and scales near those of the prior."""
        inputs = self._inputs(X)
        mean, variances = column_moments(inputs)
        variance = float(variances.mean())
        theta = np.empty(self.layout.size)
        views = self.layout.views(theta)
        self.network.draw_parameters(views, rng, mean, variance)
        last = self.network.n_layers - 1
        for parameter in (views[f"coefs_{last}"], views[f"intercepts_{last}"]):
            parameter[self.n_components :] *= 0.1
        return theta.astype(X.dtype)

    def encode(self, theta, X):
        """The ``GaussianPosterior`` of the rows of X."""
        views = self.layout.views(theta)
        return GaussianPosterior(self, views, self.network.forward(views, self._inputs(X)))

    def _inputs(self, X):
        if not self.mask_channel:
            return X
        missing = np.isnan(X)
        return np.hstack([np.where(missing, X.dtype.type(0), X), missing.astype(X.dtype)])


class GaussianPosterior:
    """The Gaussians q(z|x) of n rows.

    Attributes
    ----------
    mean : ndarray of shape (n, K)
        μ.
    scale : ndarray of shape (n, K)
        The diagonal of L.
    below : ndarray of shape (n, K, K) or None
        L below its diagonal, zero elsewhere; None where L is diagonal.
    """

    def __init__(self, encoder, views, passed):
        self._encoder, self._views, self._passed = encoder, views, passed
        K, outputs = encoder.n_components, passed.output
        self.mean = outputs[:, :K]
        self._log_scale = np.minimum(outputs[:, K : 2 * K], outputs.dtype.type(MAX_LOG_SCALE))
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

    def draw(self, noise):
        """z = μ + Lε, shape (S, n, K), for noise ε of that shape, or (S, 1, K) for all rows."""
        Z = self.scale * noise
        Z += self.mean
        if self.below is not None:
            Z += (self.below @ noise.transpose(1, 2, 0)).transpose(2, 0, 1)
        return Z

    def divergences(self):
        """½(μ_j² + Σ_l L_jl² − 1) − log L_jj, shape (n, K).

        Their sum over j is KL(q ‖ N(0, I)); one is the expected divergence of z_j given the z
        before it, and so not negative.
        """
        squares = self.mean**2 + self.scale**2
        if self.below is not None:
            squares += np.einsum("nij,nij->ni", self.below, self.below)
        return 0.5 * (squares - 1) - self._log_scale

    def log_density(self, noise):
        """log q(z|x) + ½ K log 2π at z = μ + Lε, shape (S, n)."""
        return -0.5 * np.einsum("snk,snk->sn", noise, noise) - self._log_scale.sum(axis=1)

    def pullback(self, Z_bar, noise, divergences_bar, out, log_density_bar=None):
        """Write the encoder's gradient to the vector `out`.

        Parameters
        ----------
        Z_bar : ndarray of shape (S, n, K)
            Cotangent of ``draw(noise)``.
        noise : ndarray of shape (S, n, K)
        divergences_bar : ndarray of shape (n, K)
            Cotangent of ``divergences()``.
        out : ndarray of shape (layout.size,)
        log_density_bar : ndarray of shape (S, n), default=None
            Cotangent of ``log_density(noise)``; None: zero.
        """
        encoder, K = self._encoder, self.scale.shape[1]
        outputs_bar = np.empty_like(self._passed.output)
        np.multiply(divergences_bar, self.mean, out=outputs_bar[:, :K])
        outputs_bar[:, :K] += Z_bar.sum(axis=0)
        log_scale_bar = np.multiply(
            divergences_bar, self.scale**2 - 1, out=outputs_bar[:, K : 2 * K]
        )
        log_scale_bar += self.scale * np.einsum("snk,snk->nk", Z_bar, noise)
        if log_density_bar is not None:
            log_scale_bar -= log_density_bar.sum(axis=0)[:, np.newaxis]
        log_scale_bar[self._passed.output[:, K : 2 * K] > MAX_LOG_SCALE] = 0
        if self.below is not None:
            below_bar = Z_bar.transpose(1, 2, 0) @ noise.transpose(1, 0, 2)
            below_bar += divergences_bar[:, :, np.newaxis] * self.below
            outputs_bar[:, 2 * K :] = below_bar[:, *encoder.below_diagonal]
        encoder.network.vjp_preactivation(
            self._views, self._passed, outputs_bar, encoder.layout.views(out)
        )
