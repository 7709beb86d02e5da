"""The energy of the Bernoulli–Bernoulli restricted Boltzmann machine."""

from functools import partial

import numpy as np
from scipy.special import entr, logsumexp

from sklvm.energies._binary_sites import BinarySites
from sklvm.energies._binary_states import (
    binary_states,
    draw_binary_states,
    enumerate_gradient,
    smoothed_logits,
    sum_over_states,
)
from sklvm.energies._chain_state import block_masks
from sklvm.energies._two_layers import TwoLayers
from sklvm.kernels import (
    product,
    sample_bernoulli,
    sigmoid,
    softplus,
    transposed_product,
)
from sklvm.layouts import ParameterLayout

__all__ = ["BernoulliRBMEnergy"]

# Numbers in a block of hidden inputs, one for each row, flipped bit and hidden unit: what caches
# hold.
BLOCK_ENTRIES = 2**18


class BernoulliRBMEnergy(TwoLayers, BinarySites):
    """−log p̃ of the binary restricted Boltzmann machine.

    ::

        log p̃(x, z) = zᵀWx + aᵀx + bᵀz,        x ∈ {0, 1}^d, z ∈ {0, 1}^K,
        log p̃(x) = aᵀx + Σ_k S(w_kᵀx + b_k),

    with w_k the rows of W (shape (K, d)) [1]_. Capabilities: marginal, joint, independent binary
    latents, Gibbs, tempered, exact partition over the states of the smaller layer, clamped
    partition, site conditionals, centred.

    W lies in memory column by column, so that what the units of x that are on give to the hidden
    ones is a sum of contiguous columns: products with mostly zero x then skip the zeros.

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
        self.n_terms = 2 ** min(n_features, n_components)
        self.layout = ParameterLayout(
            {
                "weights": (n_components, n_features),
                "visible_bias": (n_features,),
                "hidden_bias": (n_components,),
            },
            column_major=("weights",),
            decayed=("weights",),
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """W ~ N(0, 0.01²), a the smoothed logits of the means of X, b = 0."""
        weights = 0.01 * rng.standard_normal((self.n_components, self.n_features))
        return self.layout.pack(
            weights=weights,
            visible_bias=smoothed_logits(X, sample_weight),
            hidden_bias=0.0,
            dtype=X.dtype,
        )

    # -- linear in z ------------------------------------------------------------------------------

    def terms(self, theta, X):
        """E₀(x) = −aᵀx, u(x) = Wx + b, and ``pullback(w, U_bar)``."""
        energy, logits = self.visible_energy(theta, X), self.posterior_logits(theta, X)
        return energy, logits, partial(self._pull_terms, theta, X)

    def visible_energy(self, theta, X, bias=None):
        """E₀(x), shape (n,); with `bias` in the place of a, where it is given."""
        return -(X @ (self.layout.views(theta)["visible_bias"] if bias is None else bias))

    def _pull_terms(self, theta, X, w, U_bar):
        gradient = np.empty_like(theta)
        out = self.layout.views(gradient)
        transposed_product(X, U_bar, out=out["weights"].T)
        np.matmul(-w, X, out=out["visible_bias"])
        U_bar.sum(axis=0, out=out["hidden_bias"])
        return gradient

    def posterior_logits(self, theta, X):
        """u = Wx + b, shape (n, K)."""
        views = self.layout.views(theta)
        logits = product(X, views["weights"].T)
        logits += views["hidden_bias"]
        return logits

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ, where ∂E/∂W = −z xᵀ: without the product that gives u."""
        X, Z = blocks
        w, weighted = sum_over_states(w, Z)
        return self._pull_terms(theta, X, w, -weighted)

    def visible_mean(self, theta, Z):
        """p(x_j = 1 | z) = s(a_j + (Wᵀz)_j), shape (n, d)."""
        views = self.layout.views(theta)
        return sigmoid(Z @ views["weights"] + views["visible_bias"])

    def visible_entropy(self, theta, means):
        """Entropy of each visible unit of such a mean, in nats; shape (n, d)."""
        return entr(means) + entr(1 - means)

    # -- bit flips --------------------------------------------------------------------------------

    def flip_logits(self, theta, X):
        """a_j + c_ij Σ_k [S(u_ik + c_ij W_kj) − S(u_ik)], c = 1 − 2x, and ``pullback(V)``.

        The n·d·K softplus are taken in blocks; no array is larger than X or the hidden inputs u.
        """
        views = self.layout.views(theta)
        inputs = self.posterior_logits(theta, X)
        change = 1 - 2 * X
        logits = np.empty_like(change)
        logits[...] = -softplus(inputs).sum(axis=1)[:, np.newaxis]
        for rows, bits, flipped in self._flipped_inputs(theta, inputs, change):
            logits[rows, bits] += softplus(flipped, out=flipped).sum(axis=2)
        logits *= change
        logits += views["visible_bias"]

        def pullback(V):
            gradient = np.empty_like(theta)
            out = self.layout.views(gradient)
            signed = V * change
            # Σⱼ vᵢⱼ cᵢⱼ s(flipped u), in excess of what the rows themselves have.
            excess = -signed.sum(axis=1)[:, np.newaxis] * sigmoid(inputs)
            own = np.zeros_like(views["weights"].T, order="C")
            for rows, bits, flipped in self._flipped_inputs(theta, inputs, change):
                hidden = sigmoid(flipped, out=flipped)
                excess[rows] += np.einsum("ij,ijk->ik", signed[rows, bits], hidden)
                own[bits] += np.einsum("ij,ijk->jk", V[rows, bits], hidden)
            out["weights"][...] = excess.T @ X + own.T
            out["visible_bias"][...] = V.sum(axis=0)
            out["hidden_bias"][...] = excess.sum(axis=0)
            return gradient

        return logits, pullback

    def _flipped_inputs(self, theta, inputs, change):
        """Slices of rows and bits, and the hidden inputs (rows, bits, K) with each bit flipped."""
        columns = np.ascontiguousarray(self.layout.views(theta)["weights"].T)
        n_rows = max(BLOCK_ENTRIES // self.n_components, 1)
        n_bits = max(n_rows // max(len(inputs), 1), 1)
        for i in range(0, len(inputs), n_rows):
            rows = slice(i, i + n_rows)
            for j in range(0, self.n_features, n_bits):
                bits = slice(j, j + n_bits)
                flipped = change[rows, bits, np.newaxis] * columns[bits]
                flipped += inputs[rows, np.newaxis]
                yield rows, bits, flipped

    # -- visible units given hidden ones ----------------------------------------------------------

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None, bias=None):
        """A draw from p(x | z); units where `free` is False keep their entry of `current`.

        With `bias` in the place of a, where it is given.
        """
        views = self.layout.views(theta)
        return sample_bernoulli(
            Z @ views["weights"],
            views["visible_bias"] if bias is None else bias,
            seed,
            sweep=sweep,
            layer=0,
            free=free,
            state=current,
        )

    # -- centred: (x − μ)ᵀWᵀ(z − λ) + a_cᵀx + b_cᵀz, so that a = a_c − Wᵀλ and b = b_c − Wμ --------

    def centre_gradient(self, theta, gradient, offsets):
        """∇W − λ(∇a)ᵀ − ∇b μᵀ in W; ∇a and ∇b stay (Melchior et al., JMLR 17, 2016)."""
        visible_offset, hidden_offset = offsets
        out = self.layout.views(gradient)
        left = np.column_stack([out["visible_bias"], visible_offset])
        out["weights"].T[...] -= left @ np.stack([hidden_offset, out["hidden_bias"]])

    def centre_change(self, theta, change, offsets):
        """ΔW; Δa = Δa_c − ΔWᵀλ and Δb = Δb_c − ΔW μ."""
        visible_offset, hidden_offset = offsets
        out = self.layout.views(change)
        out["visible_bias"] -= hidden_offset @ out["weights"]
        out["hidden_bias"] -= out["weights"] @ visible_offset

    # -- tempered: the path of Salakhutdinov & Murray (ICML 2008), eq. 16 --------------------------

    def tempered_start(self, X, sample_weight=None):
        """Independent visible units with the smoothed means of X; W = 0, b = 0."""
        return self.layout.pack(
            weights=0.0,
            visible_bias=smoothed_logits(X, sample_weight),
            hidden_bias=0.0,
            dtype=X.dtype,
        )

    def start_log_partition(self, theta_0, X=None, free=None):
        """Σ_j S(a_j) + Σ_k S(b_k), where W = 0; a held unit has a_j x_j in the place of S(a_j)."""
        views = self.layout.views(theta_0.astype(np.float64))
        a, hidden = views["visible_bias"], self.sum_hidden(views["hidden_bias"])
        if free is None:
            return float(softplus(a).sum()) + hidden
        return np.where(free, softplus(a), X * a).sum(axis=1) + hidden

    def tempered_energies(self, theta_0, theta, betas, state):
        """E(x) at each inverse temperature: W₀ = 0, so that u_β = β u + (1 − β) b₀."""
        ends = [self.layout.views(end) for end in (theta_0, theta)]
        X = state.visible
        start, model = (X @ end["visible_bias"] for end in ends)
        logits = self.posterior_logits(theta, X) if state.cache is None else state.cache
        energies = np.empty((len(betas), len(X)), dtype=logits.dtype)
        for energy, beta in zip(energies, betas, strict=True):
            hidden = beta * logits
            hidden += (1 - beta) * ends[0]["hidden_bias"]
            energy[...] = -(1 - beta) * start - beta * model
            energy -= softplus(hidden, out=hidden).sum(axis=1)
        return energies

    def sweep(self, theta, state, *, free=None, tempering=None):
        """z given x, and then x given z: two products, at all temperatures."""
        if tempering is None:
            return super().sweep(theta, state, free=free)
        theta_0, beta = tempering[0], theta.dtype.type(tempering[1])
        start, model = (self.layout.views(end) for end in (theta_0, theta))
        free_x, free_z = block_masks(free, 2)
        X, Z = state.blocks
        coordinates = {"seed": state.seed, "sweep": state.sweep}
        hidden = beta * (self.posterior_logits(theta, X) if state.cache is None else state.cache)
        bias = (1 - beta) * start["hidden_bias"]
        Z = sample_bernoulli(hidden, bias, layer=1, free=free_z, state=Z, out=hidden, **coordinates)
        visible = Z @ model["weights"]
        visible *= beta
        bias = (1 - beta) * start["visible_bias"] + beta * model["visible_bias"]
        X = sample_bernoulli(
            visible, bias, layer=0, free=free_x, state=X, out=visible, **coordinates
        )
        return state.moved((X, Z), self.posterior_logits(theta, X)), {}

    # -- exact partition --------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Σ over the states of the smaller layer, the other one summed out by S."""
        nothing = np.zeros((1, self.n_features))
        everything = np.ones(self.n_features, dtype=bool)
        return float(self.log_clamped_partition(theta, nothing, everything)[0])

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], by sums over the states of the smaller layer."""
        evaluate, shape = self._smaller_layer()
        wide = theta.astype(np.float64)
        log_z, gradient = enumerate_gradient(evaluate(wide, S) for S in binary_states(*shape))
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws: a state of the smaller layer, and the other layer given that."""
        evaluate, shape = self._smaller_layer()
        wide = theta.astype(np.float64)
        draws = draw_binary_states(
            shape[0], lambda states: evaluate(wide, states)[0], shape[1], n_samples, rng
        ).astype(theta.dtype)
        if shape[0] == self.n_features:
            return draws
        return self.sample_visible(theta, draws, int(rng.integers(2**63)))

    def _smaller_layer(self):
        """The energy of its states, and the widths of both layers, its own first."""
        if self.n_components < self.n_features:
            return self.evaluate_hidden, (self.n_components, self.n_features)
        return self.evaluate, (self.n_features, self.n_components)

    def evaluate_hidden(self, theta, Z):
        """E(z) = −log Σ_x p̃(x, z) = −bᵀz − Σ_j S(a_j + (Wᵀz)_j), and its pullback."""
        views = self.layout.views(theta)
        logits = Z @ views["weights"] + views["visible_bias"]
        energy = -(Z @ views["hidden_bias"]) - softplus(logits).sum(axis=1)

        def pullback(w):
            gradient = np.empty_like(theta)
            out = self.layout.views(gradient)
            weighted = -w[:, np.newaxis] * sigmoid(logits)
            out["weights"][...] = Z.T @ weighted
            weighted.sum(axis=0, out=out["visible_bias"])
            np.matmul(-w, Z, out=out["hidden_bias"])
            return gradient

        return energy, pullback

    def n_clamped_terms(self, free):
        """Of the sum in ``log_clamped_partition``."""
        return 2 ** min(self.n_components, int(free.sum()))

    def log_clamped_partition(self, theta, X, free):
        """log Σ p̃(x) over the states of the free units, the others held at the rows of X.

        Parameters
        ----------
        theta : ndarray
        X : ndarray of shape (n, d)
            Its free entries are not looked at.
        free : ndarray of bool of shape (d,)

        Returns
        -------
        log_sums : ndarray of shape (n,), float64
            In nats. The sum runs over the hidden units or over the free ones, whichever are fewer.
        """
        views = self.layout.views(theta.astype(np.float64))
        W, a = views["weights"], views["visible_bias"]
        held = X[:, ~free].astype(np.float64)
        inputs = held @ W[:, ~free].T + views["hidden_bias"]
        W, log_sums = W[:, free], []
        if self.n_components <= W.shape[1]:
            for Z in binary_states(self.n_components, max(len(X), self.n_features)):
                visible = softplus(Z @ W + a[free]).sum(axis=1)
                log_sums.append(logsumexp(inputs @ Z.T + visible, axis=1))
        else:
            for states in binary_states(W.shape[1], len(X) * self.n_components):
                hidden = softplus(inputs[:, np.newaxis] + states @ W.T).sum(axis=2)
                log_sums.append(logsumexp(hidden + states @ a[free], axis=1))
        return logsumexp(log_sums, axis=0) + held @ a[~free]
