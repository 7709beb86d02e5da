"""The energy of the gated restricted Boltzmann machine over bits."""

import numpy as np

from sklvm.energies._binary_sites import BinarySites
from sklvm.energies._binary_states import smoothed_logits
from sklvm.energies._gated_energy import GatedEnergy
from sklvm.kernels import sample_bernoulli, sigmoid, softplus

__all__ = ["GatedRBMEnergy"]


class GatedRBMEnergy(BinarySites, GatedEnergy):
    """−log p̃ of the gated restricted Boltzmann machine over bits x and y, as a model of y given x.

    ::

        log p̃(x, y, z) = zᵀ(c + L(x − μ, y − ν)) + aᵀx + bᵀy,    L = G(Ax ∘ By),
        log p̃(x, y) = aᵀx + bᵀy + Σ_k S(c_k + L_k(x − μ, y − ν)).

    Rows are [x, y]. Hidden units see products of an input and an output: how y comes from x [1]_.
    Given x it is a restricted Boltzmann machine in y, with the weights W(x) = G diag(A(x − μ)) B.
    μ and ν, the means of the data at the start, are best left there. Capabilities, all of p(y | x):
    marginal, joint, independent binary latents, Gibbs, tempered, site conditionals, conditional
    and clamped partition.

    Parameters
    ----------
    n_features : int
        Width of x and y together.
    n_components : int
        Number K of hidden units.
    n_factors : int or None
        Number F of factors: rows of A and B. None: L has a full tensor.
    n_inputs : int
        Width of x.
    centered : bool, default=True
        Whether μ and ν are the means of X at the start, or 0.

    Attributes
    ----------
    layout : ParameterLayout
        ``input_factors`` (A), ``output_factors`` (B) and ``hidden_factors`` (G, of shape (K, F)),
        or ``tensor`` (T, of shape (K, n_inputs, n_outputs)); ``input_bias`` (a), ``output_bias``
        (b), ``hidden_bias`` (c), ``input_offset`` (μ), ``output_offset`` (ν).

    References
    ----------
    .. [1] Memisevic, Hinton, "Learning to represent spatial transformations with factored
       higher-order Boltzmann machines", Neural Computation 22 (2010).
    """

    def flip_logits(self, theta, X):
        """b_j + c_j Σ_k [S(u_k + c_j W_kj(x)) − S(u_k)] with c = 1 − 2y, and ``pullback(V)``.

        Those of x are 0: it is given.
        """
        views, inputs, outputs = self._split(theta, X)
        u = self.posterior_logits(theta, X)[:, :, np.newaxis]
        change = (1 - 2 * X[:, self.n_inputs :])[:, np.newaxis]
        flipped = u + change * self.interaction.weights(views, inputs)
        logits = np.zeros_like(X)
        logits[:, self.n_inputs :] = (change * (softplus(flipped) - softplus(u))).sum(axis=1)
        logits[:, self.n_inputs :] += views["output_bias"]

        def pullback(V):
            gradient = np.zeros_like(theta)
            out = self.layout.views(gradient)
            V = V[:, np.newaxis, self.n_inputs :]
            on = sigmoid(flipped)
            U_bar = (V * change * (on - sigmoid(u))).sum(axis=2)
            self._pull_responses(views, inputs, outputs, U_bar, out)
            out["input_offset"] -= self.interaction.pull_weights(views, inputs, V * on, out)
            out["output_bias"][...] = V.sum(axis=(0, 1))
            out["hidden_bias"][...] = U_bar.sum(axis=0)
            return self._pulled(theta, gradient)

        return logits, pullback

    # -- exponential family of a bit: h = 0 -------------------------------------------------------

    def _start_biases(self, X, sample_weight, views):
        bias = smoothed_logits(X, sample_weight)
        return bias, sigmoid(bias)

    def _base(self, views, X):
        return np.zeros(len(X), dtype=X.dtype)

    def _base_of_units(self, views, X):
        return np.zeros_like(X)

    def _pull_base(self, views, X, w, out):
        pass

    def _pull_variance(self, views, weight, out):
        pass

    def _log_volumes(self, views, eta):
        return softplus(eta)

    def _means(self, views, eta):
        return sigmoid(eta)

    def _draw(self, views, eta, seed, sweep, free, current):
        no_bias = np.zeros(eta.shape[1], dtype=eta.dtype)
        return sample_bernoulli(eta, no_bias, seed, sweep=sweep, layer=0, free=free, state=current)
