"""The deep energy model."""

from functools import partial

import numpy as np

from sklvm.energies._linear_latents import LinearLatents
from sklvm.energies._scale import Scale
from sklvm.layouts import ParameterLayout
from sklvm.networks import (
    InputDerivatives,
    MultiLayerPerceptron,
    directional_slopes,
    gradient_norms,
)
from sklvm.statistics import column_moments

__all__ = ["DeepEnergy"]

# Of the units that a new layer begins with: how far they bend falls with the square of their scale.
GROWTH_SCALE = 0.05
SMALL_VARIANCE = 1e-6


class DeepEnergy(LinearLatents):
    """−log p̃(x) of the deep energy model with its binary hidden units summed out.

    ::

        log p̃(x) = −‖x‖²/(2σ²) + bᵀx + Σ_k S(w_kᵀ g(x) + c_k),   S(u) = log(1 + eᵘ),

    g a multi-layer perceptron [1]_, [2]_. The sum is the summed output of one perceptron whose last
    activation is S, and all derivatives are the perceptron's. Capabilities: marginal, joint,
    independent binary latents, score, Laplacian, directional curvature.

    Parameters
    ----------
    n_features : int
        Width d of x.
    n_components : int
        Number K of binary hidden units on top.
    hidden_layer_sizes : tuple of int, default=(64,)
        Widths of g's layers; () makes g the identity.
    activation : {"sigmoid", "tanh", "softplus"}, default="sigmoid"
        Of g's layers.
    hidden_bias : bool, default=True
        Whether g's layers have biases.
    sigma : float or "learn", default=1.0
        σ; see ``Scale``.
    sigma_floor : float, default=1e-3
        σ_min, in the units of x; used where σ is learned.

    Attributes
    ----------
    layout : ParameterLayout
        ``visible_bias`` (b), ``log_scale`` (ρ, where learned), and the perceptron's ``coefs_l``
        and ``intercepts_l``; the last ones are W, of shape (K, width of g), and c.

    References
    ----------
    .. [1] Ngiam, Chen, Koh, Ng, "Learning deep energy models", ICML 2011.
    .. [2] Köster, Hyvärinen, "A two-layer model of natural stimuli estimated with score matching",
       Neural Computation 22 (2010).
    """

    def __init__(
        self,
        n_features,
        n_components,
        hidden_layer_sizes=(64,),
        activation="sigmoid",
        hidden_bias=True,
        sigma=1.0,
        sigma_floor=1e-3,
    ):
        self.n_features = n_features
        self.n_components = n_components
        self.scale = Scale(sigma, sigma_floor)
        n_hidden = len(hidden_layer_sizes)
        self.network = MultiLayerPerceptron(
            (n_features, *hidden_layer_sizes, n_components),
            (activation,) * n_hidden + ("softplus",),
            (hidden_bias,) * n_hidden + (True,),
        )
        visible = ParameterLayout({"visible_bias": (n_features,)})
        self.layout = visible + self.scale.layout + self.network.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """N(mean of X, σ²I) where the network is flat, first-layer units of unit variance on X.

        The rows of V₁ are random directions, scaled and shifted so that u₁ has mean 0 and variance
        1 over X; the layers above have weights N(0, 1/width).
        """
        mean, variances = column_moments(X, sample_weight)
        variance = float(variances.mean())
        theta = np.zeros(self.layout.size, dtype=np.float64)
        views = self.layout.views(theta)
        self.network.draw_parameters(views, rng, mean, variance)
        for name, start in self.scale.start_values(variance).items():
            views[name][...] = start
        views["visible_bias"][...] = mean / self.scale.variance(views)
        return theta.astype(X.dtype)

    def grown(self, smaller, theta, X, rng):
        """Parameters at which this energy is, all but exactly, that of `smaller` at `theta`.

        This network has one layer more, under W, which begins as the identity in disguise: its
        first units have u = ε(h − mean)/sd for the h of the layer below, moments being those over
        X, so small that f is a straight line there; and W undoes all that. More units, if there
        are, begin at random and have no weight yet.

        Parameters
        ----------
        smaller : DeepEnergy
            The same without its last hidden layer, which is no narrower than the one before it.
        theta : ndarray
            Parameters of `smaller`.
        X : ndarray of shape (n, d)
            Rows of data.
        rng : Generator

        Returns
        -------
        theta : ndarray of shape (layout.size,)
        """
        last = smaller.network.n_layers - 1
        given = smaller.layout.views(theta.astype(np.float64))
        grown = np.zeros(self.layout.size)
        views = self.layout.views(grown)
        W, c = given.pop(f"coefs_{last}"), given.pop(f"intercepts_{last}")
        for name, value in given.items():
            views[name][...] = value

        passed = smaller.network.forward(smaller.layout.views(theta), X)
        mean, variances = column_moments(passed.input_of(last))
        V, top = views[f"coefs_{last}"], views[f"coefs_{last + 1}"]
        V[...] = rng.standard_normal(V.shape) / np.sqrt(V.shape[1])
        if self.network.use_bias[last]:
            scales = GROWTH_SCALE / np.sqrt(np.maximum(variances, SMALL_VARIANCE))
            views[f"intercepts_{last}"][: len(mean)] = -scales * mean
        else:
            scales = GROWTH_SCALE / np.sqrt(np.maximum(variances + mean**2, SMALL_VARIANCE))
            mean = np.zeros_like(mean)
        V[: len(mean)] = np.diag(scales)

        # f(u) ≈ f(0) + f′(0) u, and h = mean + u/scale.
        f, zero = self.network.activations[last], np.zeros(1)
        at_zero, (slope,) = f.value(zero), f.derivatives(zero, f.value(zero), 1)
        top[:, : len(mean)] = W / (slope * scales)
        views[f"intercepts_{last + 1}"][...] = c + W @ mean - at_zero * top.sum(axis=1)
        return grown.astype(theta.dtype)

    # -- linear in z ------------------------------------------------------------------------------

    def terms(self, theta, X):
        """E₀(x) = ‖x‖²/(2σ²) − bᵀx, u(x) = W g(x) + c, and ``pullback(w, U_bar)``."""
        views = self.layout.views(theta)
        passed = self.network.forward(views, X)
        energy, visible_pullback = self._visible_energy(views, X)

        def pullback(w, U_bar):
            gradient, out = self._empty_gradient(theta)
            visible_pullback(w, out)
            self.network.vjp_preactivation(views, passed, U_bar, out)
            return gradient

        return energy, passed.preactivations[-1], pullback

    def evaluate(self, theta, X):
        """E (n,), and ``pullback(w)``: the summed output of the perceptron serves for Σ_k S."""
        views = self.layout.views(theta)
        passed = self.network.forward(views, X)
        energy, visible_pullback = self._visible_energy(views, X)
        energy -= passed.output.sum(axis=1)

        def pullback(w):
            gradient, out = self._empty_gradient(theta)
            visible_pullback(w, out)
            cotangent = np.broadcast_to(-w[:, np.newaxis], passed.output.shape)
            self.network.vjp(views, passed, cotangent, out)
            return gradient

        return energy, pullback

    # -- score and Laplacian ---------------------------------------------------------------------

    def score(self, theta, X):
        """ψ(x) = −x/σ² + b + ∇ₓ Σ_k S(…), shape (n, d), and ``pullback(V)``."""
        psi, _, pullback = self._score(theta, X)
        return psi, lambda V: pullback(V, None)

    def score_and_laplacian(self, theta, X):
        """ψ (n, d), tr ∇ψ = −d/σ² + Δ Σ_k S(…) (n,), and ``pullback(V, w)``."""
        d = np.full(len(X), self.n_features, dtype=X.dtype)
        return self._score(theta, X, gradient_norms, d)

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ (n, d), Σ_v vᵀ∇ψ v = Σ_v (−‖v‖²/σ² + vᵀ∇² Σ_k S(…) v) (n,), and ``pullback(V, w)``."""
        squares = np.einsum("mij,mij->i", directions, directions)
        return self._score(theta, X, partial(directional_slopes, directions=directions), squares)

    def energy_and_score(self, theta, X):
        """E (n,) and ψ (n, d), from one forward pass."""
        views = self.layout.views(theta)
        passed = self.network.forward(views, X)
        energy, _ = self._visible_energy(views, X)
        energy -= passed.output.sum(axis=1)
        psi = self.network.vjp(views, passed, np.ones_like(passed.output), input_too=True)
        psi += views["visible_bias"]
        variance = self.scale.variance(views)
        psi -= X if variance == 1 else X / variance
        return energy, psi

    def curvature(self, theta):
        """1/σ²."""
        return float(1 / self.scale.variance(self.layout.views(theta)))

    def _score(self, theta, X, squared_slopes=None, squares=None):
        """ψ, Σ_v vᵀ∇ψ v where the units' `squared_slopes` and Σ_v ‖v‖² are given, the pullback."""
        views = self.layout.views(theta)
        passed = self.network.forward(views, X)
        inner = InputDerivatives(self.network, views, passed, squared_slopes)
        variance = self.scale.variance(views)
        psi = inner.gradient
        psi += views["visible_bias"]
        psi -= X if variance == 1 else X / variance
        curvature = None if squares is None else inner.curvature - squares / variance

        def pullback(V, w):
            gradient, out = self._empty_gradient(theta)
            V.sum(axis=0, out=out["visible_bias"])
            if self.scale.is_learned:
                # ∂ψ/∂σ² = x/σ⁴, and the curvature has ‖v‖² in the place of x.
                pulled = np.einsum("ij,ij->", V, X)
                if w is not None:
                    pulled += w @ squares
                self.scale.pull(views, pulled / variance**2, out)
            inner.pullback(V, w, out)
            return gradient

        return psi, curvature, pullback

    # -- the Gaussian part ------------------------------------------------------------------------

    def _visible_energy(self, views, X):
        """‖x‖²/(2σ²) − bᵀx, and its pullback."""
        squares, variance = np.einsum("ij,ij->i", X, X), self.scale.variance(views)

        def pullback(w, out):
            np.matmul(-w, X, out=out["visible_bias"])
            self.scale.pull(views, -0.5 * (w @ squares) / variance**2, out)

        return squares / (2 * variance) - X @ views["visible_bias"], pullback

    def _empty_gradient(self, theta):
        gradient = np.empty_like(theta)
        return gradient, self.layout.views(gradient)
