"""The energy of the gated restricted Boltzmann machine over real data."""

import numpy as np

from sklvm.energies._gated_energy import GatedEnergy
from sklvm.energies._scale import Scale
from sklvm.kernels import sigmoid, softplus, standard_normal
from sklvm.statistics import column_moments

__all__ = ["GatedGaussianRBMEnergy"]


class GatedGaussianRBMEnergy(GatedEnergy):
    """A ``GatedRBMEnergy`` over real x and y: h(v) = v²/(2σ²) in the place of bits.

    ::

        log p̃(x, y, z) = cᵀz + (zᵀL(x − μ, y − ν) + aᵀx + bᵀy − ½‖x‖² − ½‖y‖²)/σ²,
        p(y | x, z) = N(b + W(x)ᵀz, σ²I).

    Given x it has a density in y whatever the parameters are, and no condition is needed. As a
    density of x and y together it has a finite Z only where ‖M(z)‖₂ < 1 for every z, M = Aᵀ
    diag(Gᵀz) B: it is a model of y given x alone. Parameters as of ``GatedRBMEnergy``, and σ. The
    capabilities are those, with the score, its Laplacian and its directional curvature, all in y,
    in the place of site conditionals.

    Parameters
    ----------
    n_features, n_components : int
    n_factors : int or None
    n_inputs : int
    sigma : float or "learn", default=1.0
        σ; see ``Scale``.
    sigma_floor : float, default=1e-3
        σ_min, in the units of y; used where σ is learned.
    centered : bool, default=True
        Whether μ and ν are the means of X at the start, or 0.
    """

    def __init__(
        self,
        n_features,
        n_components,
        n_factors,
        n_inputs,
        sigma=1.0,
        sigma_floor=1e-3,
        *,
        centered=True,
    ):
        super().__init__(n_features, n_components, n_factors, n_inputs, centered=centered)
        self.scale = Scale(sigma, sigma_floor)
        self.layout = self.layout + self.scale.layout
        self._scaled = self.interaction.outer, "input_bias", "output_bias"

    # -- score and second derivatives, in y -------------------------------------------------------

    def energy_and_score(self, theta, X):
        """E and ψ = [0, b − y/σ² + W(x)ᵀs(u)]."""
        energy, u, _ = self.terms(theta, X)
        energy -= softplus(u).sum(axis=1)
        return energy, self._score(theta, X, sigmoid(u))

    def _score(self, theta, X, S):
        views, inputs, _ = self._split(theta, X)
        psi = np.zeros_like(X)
        psi[:, self.n_inputs :] = self.interaction.output_drive(views, inputs, S)
        psi[:, self.n_inputs :] += views["output_bias"]
        psi[:, self.n_inputs :] -= X[:, self.n_inputs :] / self.scale.variance(views)
        return psi

    def score(self, theta, X):
        """ψ, and ``pullback(V)``."""
        psi, _, pullback = self._derivatives(theta, X, None)
        return psi, lambda V: pullback(V, None)

    def score_and_laplacian(self, theta, X):
        """ψ, −d_y/σ² + Σ_k s′(u_k) ‖W(x)_k‖², and ``pullback(V, w)``."""
        axes = np.eye(self.n_features, dtype=X.dtype)[self.n_inputs :, np.newaxis]
        return self._derivatives(theta, X, np.broadcast_to(axes, (self.n_outputs, *X.shape)))

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ, Σ_v [Σ_k s′(u_k) (W(x) v)_k² − ‖v‖²/σ²], and ``pullback(V, w)``."""
        return self._derivatives(theta, X, directions)

    def curvature(self, theta):
        """1/σ²."""
        return float(1 / self.scale.variance(self.layout.views(theta)))

    def _derivatives(self, theta, X, directions):
        views, inputs, outputs = self._split(theta, X)
        variance, n = self.scale.variance(views), self.n_inputs
        S = sigmoid(self.posterior_logits(theta, X))
        slope, curvature = S * (1 - S), None
        if directions is not None:
            D = directions[..., n:]
            W = self.interaction.weights(views, inputs)
            along = np.einsum("nkj,mnj->mnk", W, D, optimize=True)
            squares = np.einsum("mnk,mnk->nk", along, along)
            norms = np.einsum("mnj,mnj->n", D, D)
            curvature = np.einsum("nk,nk->n", slope, squares) - norms / variance

        def pullback(V, w):
            gradient = np.zeros_like(theta)
            out, V = self.layout.views(gradient), V[:, n:]
            u_bar = self.interaction.responses(views, inputs, V)
            of_variance = np.vdot(V, X[:, n:])
            if w is not None:
                u_bar = u_bar + (1 - 2 * S) * w[:, np.newaxis] * squares
                of_variance += w @ norms
                weighted = 2 * w[:, np.newaxis] * slope * along
                W_bar = np.einsum("mnk,mnj->nkj", weighted, D, optimize=True)
                out["input_offset"] -= self.interaction.pull_weights(views, inputs, W_bar, out)
            u_bar = slope * u_bar
            out["input_offset"] -= self.interaction.pull(views, inputs, V, S, out)[0]
            self._pull_responses(views, inputs, outputs, u_bar, out)
            out["hidden_bias"][...] = u_bar.sum(axis=0)
            out["output_bias"][...] = V.sum(axis=0)
            self.scale.pull(views, of_variance / variance**2, out)
            return self._pulled(theta, gradient)

        return self._score(theta, X, S), curvature, pullback

    # -- exponential family of a real unit: h = v²/(2σ²) ------------------------------------------

    def _start_biases(self, X, sample_weight, views):
        mean, variances = column_moments(X, sample_weight)
        for name, value in self.scale.start_values(variances[self.n_inputs :].mean()).items():
            views[name][...] = value
        return mean, mean

    def _gain(self, views):
        return 1 / self.scale.variance(views)

    def _views(self, theta):
        views = dict(self.layout.views(theta))
        for name in self._scaled:
            views[name] = self._gain(views) * views[name]
        return views

    def _pulled(self, theta, gradient):
        views, out = self.layout.views(theta), self.layout.views(gradient)
        gain = self._gain(views)
        gain_bar = sum(np.vdot(out[name], views[name]) for name in self._scaled)
        for name in self._scaled:
            out[name] *= gain
        if self.scale.is_learned:
            through_gain = {"log_scale": np.zeros_like(out["log_scale"])}
            self.scale.pull(views, -(gain**2) * gain_bar, through_gain)
            out["log_scale"] += through_gain["log_scale"]
        return gradient

    def _base(self, views, X):
        return np.einsum("ij,ij->i", X, X) / (2 * self.scale.variance(views))

    def _base_of_units(self, views, X):
        return X**2 / (2 * self.scale.variance(views))

    def _pull_base(self, views, X, w, out):
        squares = w @ np.einsum("ij,ij->i", X, X)
        self.scale.pull(views, -0.5 * squares / self.scale.variance(views) ** 2, out)

    def _pull_variance(self, views, weight, out):
        """What −∂h/∂σ² has beyond that at the means: y has the variance σ² given x and z."""
        if self.scale.is_learned:
            of_means = out["log_scale"].copy()
            self.scale.pull(views, 0.5 * weight * self.n_outputs / self.scale.variance(views), out)
            out["log_scale"] += of_means

    def _log_volumes(self, views, eta):
        variance = self.scale.variance(views)
        return 0.5 * (variance * eta**2 + np.log(2 * np.pi * variance))

    def _means(self, views, eta):
        return self.scale.variance(views) * eta

    def _draw(self, views, eta, seed, sweep, free, current):
        variance = self.scale.variance(views)
        Y = standard_normal(eta.shape, seed, sweep=sweep, dtype=eta.dtype)
        Y *= np.sqrt(variance)
        Y += variance * eta
        return Y if free is None else np.where(free, Y, current)
