"""What gated restricted Boltzmann machines share: hidden units see products of x and y."""

import numpy as np
from scipy.special import logsumexp

from sklvm.energies._binary_states import binary_states, sum_over_states
from sklvm.energies._interactions import FactoredInteraction, FullInteraction
from sklvm.energies._two_layers import TwoLayers
from sklvm.kernels import softplus
from sklvm.layouts import ParameterLayout
from sklvm.statistics import column_moments

__all__ = ["GatedEnergy"]


class GatedEnergy(TwoLayers):
    """E(x, y, z) = Σ_j [h(v_j) − a_j v_j] − zᵀ(c + L(x − μ, y − ν)), v = [x, y], and x given.

    Given x and z, the y_j are independent with densities ∝ exp(η_j y_j − h(y_j)), of which a
    subclass gives h, ``_log_volumes``, ``_means`` and ``_draw``.
    """

    scale = None

    def __init__(self, n_features, n_components, n_factors, n_inputs, *, centered=True):
        self.n_features, self.n_components, self.n_inputs = n_features, n_components, n_inputs
        self.centered = centered
        self.n_outputs, self.n_terms = n_features - n_inputs, 2**n_components
        shape = n_inputs, self.n_outputs, n_components
        self.interaction = (
            FullInteraction(*shape) if n_factors is None else FactoredInteraction(*shape, n_factors)
        )
        self.layout = self.interaction.layout + ParameterLayout(
            {
                "input_bias": (n_inputs,),
                "output_bias": (self.n_outputs,),
                "hidden_bias": (n_components,),
                "input_offset": (n_inputs,),
                "output_offset": (self.n_outputs,),
            }
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """Independent visible units with the means of X, and a random L."""
        theta = self.tempered_start(X, sample_weight)
        _, variances = column_moments(X, sample_weight)
        totals = (max(float(v.sum()), 1e-6) for v in np.split(variances, [self.n_inputs]))
        views = self.layout.views(theta)
        for name, value in self.interaction.draw(rng, *totals).items():
            views[name][...] = value
        views[self.interaction.outer] /= self._gain(views)
        return theta

    # -- linear in z ------------------------------------------------------------------------------

    def terms(self, theta, X):
        """E₀(x, y), u = c + L(x − μ, y − ν), and their pullback."""
        views, inputs, outputs = self._split(theta, X)
        u = self.interaction.responses(views, inputs, outputs) + views["hidden_bias"]
        energy = self._base(views, X) - X @ self._bias(views)
        return energy, u, lambda w, U_bar: self._pull_terms(theta, X, w, U_bar)

    def _pull_terms(self, theta, X, w, U_bar):
        views, inputs, outputs = self._split(theta, X)
        gradient = np.zeros_like(theta)
        out = self.layout.views(gradient)
        self._pull_base(views, X, w, out)
        bias = -(w @ X)
        out["input_bias"][...], out["output_bias"][...] = np.split(bias, [self.n_inputs])
        out["hidden_bias"][...] = U_bar.sum(axis=0)
        self._pull_responses(views, inputs, outputs, U_bar, out)
        return self._pulled(theta, gradient)

    def _pull_responses(self, views, inputs, outputs, L_bar, out):
        of_x, of_y = self.interaction.pull(views, inputs, outputs, L_bar, out)
        out["input_offset"] -= of_x
        out["output_offset"] -= of_y

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ, yᵢ, zᵢ)/∂θ, without the product that gives u."""
        X, Z = blocks
        w, weighted = sum_over_states(w, Z)
        return self._pull_terms(theta, X, w, -weighted)

    def _split(self, theta, X):
        """The parameters by name, and x − μ and y − ν."""
        views = self._views(theta)
        inputs = X[:, : self.n_inputs] - views["input_offset"]
        return views, inputs, X[:, self.n_inputs :] - views["output_offset"]

    def _views(self, theta):
        """The parameters by name as the formulas have them."""
        return self.layout.views(theta)

    def _pulled(self, theta, gradient):
        """θ's gradient from that of what ``_views`` gives."""
        return gradient

    def _gain(self, views):
        """What L and the biases of visible units are multiplied with."""
        return 1.0

    @staticmethod
    def _bias(views):
        return np.concatenate([views["input_bias"], views["output_bias"]])

    # -- x and y given the others -----------------------------------------------------------------

    def output_mean(self, theta, X, Z):
        """E[y | x, z], shape (n, n_outputs), of rows X = [x, y] whose y does not matter."""
        views, inputs, _ = self._split(theta, X)
        drive = self.interaction.output_drive(views, inputs, Z)
        return self._means(views, drive + views["output_bias"])

    def input_mean(self, theta, X, Z):
        """E[x | y, z], shape (n, n_inputs), of rows X = [x, y] whose x does not matter."""
        views, _, outputs = self._split(theta, X)
        drive = self.interaction.input_drive(views, outputs, Z)
        return self._means(views, drive + views["input_bias"])

    def expected_visible(self, theta, state):
        """x as it is, and E[y | x, z]."""
        X, Z = state.blocks
        return np.hstack([X[:, : self.n_inputs], self.output_mean(theta, X, Z)])

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None):
        """[x, y] with y drawn given x and z; x, and entries of y where `free` is False, stay."""
        views, inputs, _ = self._split(theta, current)
        eta = self.interaction.output_drive(views, inputs, Z)
        eta += views["output_bias"]
        free = None if free is None else free[..., self.n_inputs :]
        Y = self._draw(views, eta, seed, sweep, free, current[:, self.n_inputs :])
        return np.hstack([current[:, : self.n_inputs], Y])

    # -- tempered ---------------------------------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """Independent visible units with the means of X; L = 0 and c = 0."""
        theta = np.zeros(self.layout.size)
        views = self.layout.views(theta)
        bias, mean = self._start_biases(X, sample_weight, views)
        views["input_bias"][...], views["output_bias"][...] = np.split(bias, [self.n_inputs])
        if self.centered:
            parts = np.split(mean, [self.n_inputs])
            views["input_offset"][...], views["output_offset"][...] = parts
        return theta.astype(X.dtype)

    def temper(self, theta_0, theta, beta):
        """βL, by an equal share for each of its factors; biases are (1 − β) b₀ + β b."""
        if beta == 0:
            return theta_0.copy()
        tempered = (1 - beta) * theta_0 + beta * theta
        out, model = self.layout.views(tempered), self.layout.views(theta)
        for name in self.interaction.layout:
            out[name][...] = beta ** (1 / self.interaction.order) * model[name]
        for name in ("input_offset", "output_offset"):
            out[name][...] = model[name]
        return tempered

    def tempered_energies(self, theta_0, theta, betas, state):
        """E(x, y) at each inverse temperature, from one evaluation of L."""
        X = state.visible
        u = self.posterior_logits(theta, X) if state.cache is None else state.cache
        model = self._views(theta)
        products = (u - model["hidden_bias"]) / self._gain(model)
        energies = np.empty((len(betas), len(X)), dtype=u.dtype)
        for energy, beta in zip(energies, betas, strict=True):
            views = self._views(self.temper(theta_0, theta, beta))
            energy[...] = self._base(views, X) - X @ self._bias(views)
            hidden = beta * self._gain(views) * products + views["hidden_bias"]
            energy -= softplus(hidden).sum(axis=1)
        return energies

    def start_log_partition(self, theta_0, X=None, free=None):
        """That of independent visible and hidden units, L being 0."""
        views = self._views(theta_0.astype(np.float64))
        hidden, bias = self.sum_hidden(views["hidden_bias"]), self._bias(views)
        summed = self._log_volumes(views, bias)
        if free is None:
            return float(summed.sum()) + hidden
        held = X * bias - self._base_of_units(views, X)
        return np.where(free, summed, held).sum(axis=1) + hidden

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws of all visible units."""
        views = self._views(theta_0)
        eta = np.tile(self._bias(views), (n_samples, 1))
        return self._draw(views, eta, seed, 0, None, None)

    # -- log Z(x) ---------------------------------------------------------------------------------

    def conditional_log_partition(self, theta, X):
        """log Σ_z ∫ dy p̃(x, y, z) of each row, and ``pullback(w)``: a sum over the states of z.

        The gradient is the mean of −∂E/∂θ over p(y, z | x), in which y stands at its mean given x
        and z, but for the variance that h sees.
        """
        wide, rows = theta.astype(np.float64), X.astype(np.float64)
        outputs = np.arange(self.n_features) >= self.n_inputs
        blocks = [self._log_joint(wide, rows, Z, outputs) for Z in self._states(len(X))]
        log_z = logsumexp(np.hstack(blocks), axis=1)

        def pullback(w):
            gradient = np.zeros_like(wide)
            out, views = self.layout.views(gradient), self._views(wide)
            for Z, log_joint in zip(self._states(len(X)), blocks, strict=True):
                shares = (w[:, np.newaxis] * np.exp(log_joint - log_z[:, np.newaxis])).ravel()
                tiled, states = np.repeat(rows, len(Z), axis=0), np.tile(Z, (len(rows), 1))
                tiled[:, self.n_inputs :] = self.output_mean(wide, tiled, states)
                gradient -= self.joint_gradient(wide, (tiled, states), shares)
            self._pull_variance(views, w.sum(), out)
            return gradient.astype(theta.dtype)

        return log_z.astype(theta.dtype), pullback

    def n_clamped_terms(self, free):
        """Of the sum in ``log_clamped_partition``."""
        return self.n_terms

    def log_clamped_partition(self, theta, X, free):
        """log Σ_z ∫ p̃(x, y, z) over the free entries of y, the others held at the rows of X.

        Of shape (n,), float64, in nats. Inputs are held whatever `free` says.
        """
        wide, rows = theta.astype(np.float64), X.astype(np.float64)
        blocks = [self._log_joint(wide, rows, Z, free) for Z in self._states(len(X))]
        return logsumexp(np.hstack(blocks), axis=1)

    def _states(self, n_rows):
        return binary_states(self.n_components, n_rows * self.n_features)

    def _log_joint(self, theta, X, Z, free):
        """log ∫ p̃(x, y, z) over free y, of each row and each state: shape (n, n_states)."""
        views, inputs, _ = self._split(theta, X)
        free = free[self.n_inputs :]
        drive = np.einsum("nkj,sk->nsj", self.interaction.weights(views, inputs), Z)
        eta = drive + views["output_bias"]
        Y = np.where(free, 0.0, X[:, self.n_inputs :])[:, np.newaxis]
        held = eta * Y - self._base_of_units(views, Y)
        outputs = np.where(free, self._log_volumes(views, eta), held).sum(axis=2)
        x = X[:, : self.n_inputs]
        of_x = x @ views["input_bias"] - self._base(views, x)
        return (
            outputs
            + of_x[:, np.newaxis]
            + Z @ views["hidden_bias"]
            - drive @ views["output_offset"]
        )
