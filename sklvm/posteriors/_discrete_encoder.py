"""A perceptron that maps x to a distribution over discrete latent variables."""

import numpy as np
from scipy.special import logsumexp, softmax

from sklvm.kernels import sigmoid, softplus
from sklvm.networks import MultiLayerPerceptron
from sklvm.statistics import column_moments

__all__ = ["DiscreteEncoder", "DiscretePosterior"]


class DiscretePosterior:
    """q(z|x) = exp(uᵀz − A(u)) for each of n rows, z binary: an exponential family.

    Over all of {0, 1}^K the z_k are independent and A(u) = Σ_k log(1 + exp u_k); over listed states
    A(u) = log Σ_z exp uᵀz.

    Parameters
    ----------
    logits : ndarray of shape (n, K)
        u.
    states : ndarray of shape (n_states, K), default=None
        What z ranges over. None: {0, 1}^K.
    pullback : callable, default=None
        ``pullback(logits_bar, out)`` takes a cotangent of u to the parameters that made it.

    Attributes
    ----------
    outputs : ndarray of shape (n, K)
        u.
    mean : ndarray of shape (n, K)
        E[z|x] = ∇A(u).
    """

    is_reparametrized = False

    def __init__(self, logits, states=None, pullback=None):
        self.outputs = logits
        self._pullback = pullback
        if states is None:
            self._states = None
            self.mean, self._normalizer = sigmoid(logits), softplus(logits).sum(axis=1)
        else:
            self._states = states.astype(logits.dtype)
            exponents = logits @ self._states.T
            self._probabilities = softmax(exponents, axis=1)
            self.mean = self._probabilities @ self._states
            self._normalizer = logsumexp(exponents, axis=1)

    def noise(self, n_draws, rng):
        """Uniform numbers: one for each unit, or one for each row where states are listed."""
        n, K = self.outputs.shape
        width = K if self._states is None else 1
        return rng.random((n_draws, n, width), dtype=self.mean.dtype)

    def draw(self, noise):
        """z, shape (S, n, K): independent draws where the noise is fresh."""
        if self._states is None:
            return (noise < self.mean).astype(self.mean.dtype)
        ladder = np.cumsum(self._probabilities, axis=1)[:, :-1]
        return self._states[np.count_nonzero(noise >= ladder, axis=2)]

    def log_density(self, Z, noise=None):
        """uᵀz − A(u), shape (S, n), for Z of shape (S, n, K) or, for all rows, (S, 1, K)."""
        if Z.shape[1] == 1:
            products = Z[:, 0] @ self.outputs.T
        else:
            products = np.einsum("nk,snk->sn", self.outputs, Z)
        return products - self._normalizer

    def pull_log_density(self, Z, w, noise=None):
        """Σ_s w_s (z_s − E z), shape (n, K)."""
        shared = Z.shape[1] == 1
        pulled = w.T @ Z[:, 0] if shared else np.einsum("sn,snk->nk", w, Z)
        return pulled - w.sum(axis=0)[:, np.newaxis] * self.mean

    def entropy(self):
        """A(u) − uᵀE[z], shape (n,)."""
        return self._normalizer - np.einsum("nk,nk->n", self.outputs, self.mean)

    def pull_entropy(self, w):
        """−w Cov(z) u, shape (n, K)."""
        if self._states is None:
            spread = self.mean * (1 - self.mean) * self.outputs
        else:
            exponents = self.outputs @ self._states.T
            centred = exponents - np.einsum("nk,nk->n", self.outputs, self.mean)[:, np.newaxis]
            spread = (self._probabilities * centred) @ self._states
        return -w[:, np.newaxis] * spread

    def pullback(self, outputs_bar, out):
        """Write the gradient of what made the logits to the vector `out`."""
        self._pullback(outputs_bar, out)


class DiscreteEncoder:
    """q(z|x) = exp(uᵀz − A(u)), u(x) the outputs of a perceptron.

    Without hidden layers it can be the posterior of a restricted Boltzmann machine.

    Parameters
    ----------
    n_features : int
        Width of x.
    n_components : int
        Width K of z.
    hidden_layer_sizes : tuple of int, default=()
    activation : str, default="relu"
        Of the hidden layers.
    states : ndarray of shape (n_states, K), default=None
        What z ranges over. None: {0, 1}^K, and the z_k are independent.

    Attributes
    ----------
    layout : ParameterLayout
        The perceptron's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.posteriors import DiscreteEncoder
    >>> encoder = DiscreteEncoder(n_features=3, n_components=2, hidden_layer_sizes=(5,))
    >>> X = np.eye(3)
    >>> phi = encoder.init_parameters(X, np.random.default_rng(0))
    >>> encoder.encode(phi, X).mean.shape
    (3, 2)
    """

    def __init__(
        self, n_features, n_components, hidden_layer_sizes=(), activation="relu", states=None
    ):
        self.n_components, self.states = n_components, states
        self.network = MultiLayerPerceptron(
            (n_features, *hidden_layer_sizes, n_components),
            (activation,) * len(hidden_layer_sizes) + ("identity",),
            skip_zeros=True,
        )
        self.layout = self.network.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """First-layer units of mean 0 and variance 1 over X, and logits near 0."""
        mean, variances = column_moments(X, sample_weight)
        theta = np.empty(self.layout.size)
        views = self.layout.views(theta)
        self.network.draw_parameters(views, rng, mean, float(variances.mean()))
        last = self.network.n_layers - 1
        for parameter in (views[f"coefs_{last}"], views[f"intercepts_{last}"]):
            parameter *= 0.1
        return theta.astype(X.dtype)

    def encode(self, phi, X):
        """The ``DiscretePosterior`` of the rows of X."""
        views = self.layout.views(phi)
        passed = self.network.forward(views, X)

        def pullback(logits_bar, out):
            self.network.vjp_preactivation(views, passed, logits_bar, self.layout.views(out))

        return DiscretePosterior(passed.output, self.states, pullback)
