"""A perceptron that maps x to a law over discrete latent variables: a variational posterior."""

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
    log_odds : ndarray of shape (n, K)
        u.
    states : ndarray of shape (n_states, K), default=None
        What z ranges over. None: {0, 1}^K.

    Attributes
    ----------
    mean : ndarray of shape (n, K)
        E[z|x] = ∇A(u).
    """

    def __init__(self, log_odds, states=None):
        self.log_odds = log_odds
        if states is None:
            self._states = None
            self.mean, self._normalizer = sigmoid(log_odds), softplus(log_odds).sum(axis=1)
        else:
            self._states = states.astype(log_odds.dtype)
            exponents = log_odds @ self._states.T
            self._probabilities = softmax(exponents, axis=1)
            self.mean, self._normalizer = (
                self._probabilities @ self._states,
                logsumexp(exponents, axis=1),
            )

    def log_density(self, Z):
        """uᵀz − A(u) for Z of shape (S, n, K), or (S, 1, K) for all rows; shape (S, n)."""
        if Z.shape[1] == 1:
            products = Z[:, 0] @ self.log_odds.T
        else:
            products = np.einsum("nk,snk->sn", self.log_odds, Z)
        return products - self._normalizer

    def draw(self, n_draws, rng):
        """Independent draws, shape (n_draws, n, K)."""
        n, K = self.log_odds.shape
        if self._states is None:
            uniform = rng.random((n_draws, n, K), dtype=self.mean.dtype)
            return (uniform < self.mean).astype(self.mean.dtype)
        uniform = rng.random((n_draws, n, 1), dtype=self.mean.dtype)
        ladder = np.cumsum(self._probabilities, axis=1)[:, :-1]
        return self._states[np.count_nonzero(uniform >= ladder, axis=2)]

    def log_odds_cotangent(self, Z, log_density_bar):
        """Σ_s w_s (z_s − E z), of shape (n, K), for the cotangent w of ``log_density(Z)``."""
        pulled = np.einsum("sn,snk->nk", log_density_bar, Z)
        return pulled - log_density_bar.sum(axis=0)[:, np.newaxis] * self.mean


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

    def init_parameters(self, X, rng):
        """First-layer units of mean 0 and variance 1 over X, and log-odds near 0."""
        mean, variances = column_moments(X)
        theta = np.empty(self.layout.size)
        views = self.layout.views(theta)
        self.network.draw_parameters(views, rng, mean, float(variances.mean()))
        last = self.network.n_layers - 1
        for parameter in (views[f"coefs_{last}"], views[f"intercepts_{last}"]):
            parameter *= 0.1
        return theta.astype(X.dtype)

    def encode(self, theta, X):
        """The ``DiscretePosterior`` of the rows of X, and ``pullback(log_odds_bar, out)``.

        The pullback writes the encoder's gradient to the vector `out`.
        """
        views = self.layout.views(theta)
        passed = self.network.forward(views, X)

        def pullback(log_odds_bar, out):
            self.network.vjp_preactivation(views, passed, log_odds_bar, self.layout.views(out))

        return DiscretePosterior(passed.output, self.states), pullback
