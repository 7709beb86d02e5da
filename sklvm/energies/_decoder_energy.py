"""A density with continuous latent variables: a network and a likelihood on top."""

import numpy as np

from sklvm.networks import MultiLayerPerceptron

__all__ = ["DecoderEnergy", "prior_energy"]


def prior_energy(Z):
    """−log N(z; 0, I) = ½‖z‖² + ½ K log 2π, of the shape of Z without its last axis K."""
    constant = Z.dtype.type(0.5 * Z.shape[-1] * np.log(2 * np.pi))
    return 0.5 * np.einsum("...k,...k->...", Z, Z) + constant


class DecoderEnergy:
    """p(x, z) = p(x | g(z)) N(z; 0, I), g a multi-layer perceptron.

    Its marginal energy −log ∫ p(x, z) dz has no closed form; what it can do is ``Decoder``.

    Parameters
    ----------
    likelihood : GaussianLikelihood or BernoulliLikelihood
        p(x|u).
    n_components : int
        Number K of latent variables.
    hidden_layer_sizes : tuple of int, default=()
        Widths of g's layers between z and u.
    activation : str, default="relu"
        Of these layers.

    Attributes
    ----------
    layout : ParameterLayout
        The likelihood's, then the perceptron's.
    """

    def __init__(self, likelihood, n_components, hidden_layer_sizes=(), activation="relu"):
        self.likelihood, self.scale = likelihood, likelihood.scale
        self.n_features, self.n_components = likelihood.n_features, n_components
        self.network = MultiLayerPerceptron(
            (n_components, *hidden_layer_sizes, likelihood.n_outputs),
            (activation,) * len(hidden_layer_sizes) + ("identity",),
        )
        self.layout = likelihood.layout + self.network.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """The likelihood of independent features, which z moves by their standard deviation."""
        theta = np.empty(self.layout.size)
        views = self.layout.views(theta)
        self.network.draw_parameters(views, rng)
        last = self.network.n_layers - 1
        outputs, spread = self.likelihood.start(X, views, sample_weight)
        views[f"intercepts_{last}"][...] = outputs
        views[f"coefs_{last}"][...] *= spread[:, np.newaxis]
        return theta.astype(X.dtype)

    def evaluate_given(self, theta, X, Z):
        """−log p(x|z) of shape (n,), and ``pullback(w, out)``; see ``Decoder``."""
        views = self.layout.views(theta)
        passed = self.network.forward(views, Z)
        error, likelihood_pullback = self.likelihood.evaluate(views, passed.output, X)

        def pullback(w, out):
            out = self.layout.views(out)
            U_bar = likelihood_pullback(w, out)
            return self.network.vjp_preactivation(views, passed, U_bar, out, input_too=True)

        return error, pullback

    def visible_mean(self, theta, Z):
        """E[x|z], shape (n, n_features)."""
        views = self.layout.views(theta)
        return self.likelihood.mean(self.network.forward(views, Z).output)

    def sample(self, theta, n_samples, rng):
        """Independent draws, shape (n_samples, n_features)."""
        Z = rng.standard_normal((n_samples, self.n_components), dtype=theta.dtype)
        return self.sample_given(theta, Z, rng)

    def sample_means(self, theta, n_samples, rng):
        """E[x | z] at independent draws of z, shape (n_samples, n_features)."""
        Z = rng.standard_normal((n_samples, self.n_components), dtype=theta.dtype)
        return self.likelihood.mean(self.network.forward(self.layout.views(theta), Z).output)

    def sample_given(self, theta, Z, rng):
        """A draw from p(x|z) for each row of Z."""
        views = self.layout.views(theta)
        return self.likelihood.sample(views, self.network.forward(views, Z).output, rng)
