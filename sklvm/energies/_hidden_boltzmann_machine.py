"""The energy of the Boltzmann machine with few hidden units, all of them coupled."""

import numpy as np

from sklvm.energies._binary_sites import BinarySites
from sklvm.energies._binary_states import (
    MAX_LISTED_UNITS,
    binary_states,
    draw_binary_states,
    enumerate_gradient,
    log_sum_of_free_units,
    smoothed_logits,
    sum_over_states,
)
from sklvm.energies._chain_state import ChainState, block_masks
from sklvm.energies._coupled_latents import CoupledLatents
from sklvm.energies._pair_couplings import PairCouplings
from sklvm.energies._two_layers import LinearTempering
from sklvm.kernels import sample_bernoulli, sigmoid, softplus
from sklvm.layouts import ParameterLayout

__all__ = ["HiddenBoltzmannMachineEnergy"]

# Numbers in a block of flipped inputs, each of them summed over all states of z.
_BLOCK_ENTRIES = 2**20
# Of log p̃(x) by a change of a unit: what is less may be rounding.
_LEAST_GAIN = 1e-4
N_MEAN_FIELD_SWEEPS = 100


class HiddenBoltzmannMachineEnergy(LinearTempering, BinarySites):
    """−log p̃ of visible and at most 12 hidden binary units, all of which may be coupled. ::

        log p̃(x, z) = ½ xᵀJx + aᵀx + zᵀWx + bᵀz + ½ zᵀMz,
        log p̃(x) = ½ xᵀJx + aᵀx + A(Wx + b),      A(u) = log Σ_z exp(uᵀz + ½ zᵀMz).

    J = M = 0 is a restricted Boltzmann machine, M = 0 a semi-restricted one, J = 0 with M between
    two groups of units a deep one. A and its derivatives are sums over all states of z.
    Capabilities: marginal, joint, site conditionals, Gibbs (z together, then x unit by unit),
    tempered, exact and clamped partition over all states, centred.

    Parameters
    ----------
    n_features : int
        d.
    n_components : int
        K, from 1 to 12.
    graph : SiteGraph, default=None
        The pairs of visible units that may be coupled; None: all.

    Attributes
    ----------
    couplings, hidden_couplings : PairCouplings
    layout : ParameterLayout
        ``coupling`` (J, one number a pair), ``visible_bias`` (a), ``weights`` (W, of shape (K, d)),
        ``hidden_coupling`` (M, one number a pair) and ``hidden_bias`` (b).
    n_terms : int
        2^(d + K).
    """

    def __init__(self, n_features, n_components, graph=None):
        if not 1 <= n_components <= MAX_LISTED_UNITS:
            raise ValueError(
                f"n_components must be from 1 to {MAX_LISTED_UNITS}, got {n_components}."
            )
        self.n_features, self.n_components = n_features, n_components
        self.couplings = PairCouplings(n_features, graph)
        self.hidden_couplings = PairCouplings(n_components)
        self.n_terms = 2 ** (n_features + n_components)
        self.layout = ParameterLayout(
            {
                "coupling": (self.couplings.n_pairs,),
                "visible_bias": (n_features,),
                "weights": (n_components, n_features),
                "hidden_coupling": (self.hidden_couplings.n_pairs,),
                "hidden_bias": (n_components,),
            },
            decayed=("coupling", "weights", "hidden_coupling"),
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """J = M = 0, b = 0, a the smoothed logits of the means of X, W ~ N(0, 0.1²)."""
        theta = self.tempered_start(X, sample_weight)
        W = self.layout.views(theta)["weights"]
        W[...] = 0.1 * rng.standard_normal(W.shape)
        return theta

    # -- joint and marginal energies --------------------------------------------------------------

    def evaluate_joint(self, theta, X, Z):
        """E(x, z), and ``pullback(w)``; Z of shape (n, K) or (S, n, K)."""
        views = self.layout.views(theta)
        energy, U, pullback = self._terms(theta, X)
        products = Z @ self.hidden_couplings.matrix(views["hidden_coupling"])
        energy = energy - np.einsum("...nk,...nk->...n", U + 0.5 * products, Z)

        def joint_pullback(w):
            flat = Z.reshape(-1, self.n_components)
            hidden_bar = -self.hidden_couplings.pull_square(w.ravel(), flat)
            w, weighted = sum_over_states(w, Z)
            return pullback(w, -weighted, hidden_bar)

        return energy, joint_pullback

    def evaluate(self, theta, X):
        """E(x) = E₀(x) − A(u(x)), and ``pullback(w)``."""
        energy, U, pullback = self._terms(theta, X)
        log_sum, sum_pullback = self._latents(theta).log_sum(U)

        def marginal_pullback(w):
            U_bar, hidden_bar = sum_pullback(-w)
            return pullback(w, U_bar, hidden_bar)

        return energy - log_sum, marginal_pullback

    def posterior(self, theta, X):
        """p(z_k = 1 | x), shape (n, K)."""
        return self._latents(theta).means(self._inputs(theta, X))

    def infer(self, theta, X, state=None):
        """The blocks (X, E[z | x]); as z is coupled, its means do not tell all."""
        return X, self.posterior(theta, X)

    def visible_mean(self, theta, Z):
        """E[x | z] by mean field, x = s(Jx + a + Wᵀz); exact where J = 0. Shape (n, d)."""
        views = self.layout.views(theta)
        X = sigmoid(Z @ views["weights"] + views["visible_bias"])
        for _ in range(N_MEAN_FIELD_SWEEPS):
            X = self.visible_step(theta, X, Z)
        return X

    def visible_step(self, theta, X, Z):
        """½ x + ½ s(Jx + a + Wᵀz): damped, lest all units swing together."""
        views = self.layout.views(theta)
        inputs = Z @ views["weights"] + views["visible_bias"]
        return 0.5 * X + 0.5 * sigmoid(self.couplings.products(views["coupling"], X) + inputs)

    def _terms(self, theta, X):
        """E₀(x) = −½ xᵀJx − aᵀx, u(x) = Wx + b, and ``pullback(w, U_bar, hidden_coupling_bar)``."""
        views = self.layout.views(theta)
        products = self.couplings.products(views["coupling"], X)
        energy = -0.5 * np.einsum("ij,ij->i", products, X) - X @ views["visible_bias"]

        def pullback(w, U_bar, hidden_coupling_bar):
            return self.layout.pack(
                coupling=-self.couplings.pull_square(w, X),
                visible_bias=-(w @ X),
                weights=U_bar.T @ X,
                hidden_coupling=hidden_coupling_bar,
                hidden_bias=U_bar.sum(axis=0),
                dtype=theta.dtype,
            )

        return energy, self._inputs(theta, X), pullback

    def _inputs(self, theta, X):
        views = self.layout.views(theta)
        return X @ views["weights"].T + views["hidden_bias"]

    def _latents(self, theta):
        return CoupledLatents(self.hidden_couplings, self.layout.views(theta)["hidden_coupling"])

    # -- bit flips --------------------------------------------------------------------------------

    def flip_logits(self, theta, X):
        """(Jx)_j + a_j + c_ij [A(u + c_ij W_j) − A(u)], c = 1 − 2x, and ``pullback(V)``."""
        views, latents = self.layout.views(theta), self._latents(theta)
        W, change, U = views["weights"], 1 - 2 * X, self._inputs(theta, X)
        logits, flipped_pullbacks = np.empty_like(X), []
        for rows in self._blocks(X):
            flipped = U[rows, np.newaxis] + change[rows, :, np.newaxis] * W.T
            log_sums, pull = latents.log_sum(flipped.reshape(-1, self.n_components))
            logits[rows] = log_sums.reshape(-1, self.n_features)
            flipped_pullbacks.append((rows, pull))
        log_sum, sum_pullback = latents.log_sum(U)
        logits = change * (logits - log_sum[:, np.newaxis])
        logits += self.couplings.products(views["coupling"], X) + views["visible_bias"]

        def pullback(V):
            signed = change * V
            U_bar, hidden_bar = sum_pullback(-signed.sum(axis=1))
            own = np.zeros_like(W.T)
            for rows, pull in flipped_pullbacks:
                flipped_bar, of_block = pull(signed[rows].ravel())
                flipped_bar = flipped_bar.reshape(-1, self.n_features, self.n_components)
                U_bar[rows] += flipped_bar.sum(axis=1)
                own += np.einsum("ij,ijk->jk", change[rows], flipped_bar)
                hidden_bar = hidden_bar + of_block
            return self.layout.pack(
                coupling=self.couplings.pull(V, X),
                visible_bias=V.sum(axis=0),
                weights=U_bar.T @ X + own.T,
                hidden_coupling=hidden_bar,
                hidden_bias=U_bar.sum(axis=0),
                dtype=theta.dtype,
            )

        return logits, pullback

    def settle(self, theta, X, free=None):
        """Rows that no change of a single unit makes more probable, z summed out; from X.

        The unit whose change raises p(x) most goes first.
        """
        X = np.array(X, dtype=theta.dtype)
        free = np.broadcast_to(True if free is None else free, X.shape)
        moving = np.arange(len(X))
        while len(moving):
            gains = (1 - 2 * X[moving]) * self.flip_logits(theta, X[moving])[0]
            gains = np.where(free[moving], gains, 0)
            unit = gains.argmax(axis=1)
            rises = gains[np.arange(len(moving)), unit] > _LEAST_GAIN
            moving, unit = moving[rises], unit[rises]
            X[moving, unit] = 1 - X[moving, unit]
        return X

    def _blocks(self, X):
        step = max(_BLOCK_ENTRIES // X.shape[1], 1)
        return [slice(start, start + step) for start in range(0, len(X), step)]

    # -- centred: (x − μ)ᵀJ(x − μ)/2 + (z − λ)ᵀW(x − μ) + (z − λ)ᵀM(z − λ)/2 -----------------------

    def centre_gradient(self, theta, gradient, offsets):
        """∇J − μ∇aᵀ − ∇a μᵀ, ∇W − λ∇aᵀ − ∇b μᵀ, ∇M − λ∇bᵀ − ∇b λᵀ; ∇a and ∇b stay."""
        J, a, W, M, b = self.layout.views(gradient).values()
        mu, hidden_mu = (offset[np.newaxis] for offset in offsets)
        J -= self.couplings.pull(a[np.newaxis], mu)
        W -= hidden_mu.T @ a[np.newaxis] + b[:, np.newaxis] @ mu
        M -= self.hidden_couplings.pull(b[np.newaxis], hidden_mu)

    def centre_change(self, theta, change, offsets):
        """ΔJ, ΔW, ΔM; Δa = Δa_c − ΔJμ − ΔWᵀλ, Δb = Δb_c − ΔWμ − ΔMλ."""
        J, a, W, M, b = self.layout.views(change).values()
        mu, hidden_mu = (offset[np.newaxis] for offset in offsets)
        a -= (self.couplings.products(J, mu) + hidden_mu @ W)[0]
        b -= (self.hidden_couplings.products(M, hidden_mu) + mu @ W.T)[0]

    # -- chains: z given x, and then x given z, unit by unit --------------------------------------

    def start(self, theta, X, seed):
        """Chains at the rows of X; z is drawn by the first sweep, until then it is 0."""
        return ChainState((X, np.zeros((len(X), self.n_components), dtype=X.dtype)), int(seed))

    def sweep(self, theta, state, *, free=None, tempering=None):
        """z given x, all of it together, and then x given z, unit after unit."""
        X, Z = state.blocks
        free_x, free_z = block_masks(free, 2)
        J, scale = self.layout.views(theta)["coupling"], 1.0
        if tempering is not None:
            # β scales the products with J, so that those at θ serve all temperatures.
            scale = float(tempering[1])
            theta = self.temper(tempering[0], theta, theta.dtype.type(scale))
        U, views = self._inputs(theta, X), self.layout.views(theta)
        Z = self._latents(theta).draw(U, state.seed, state.sweep, free=free_z, current=Z)
        X, cache = self.couplings.sweep(
            J,
            X,
            Z @ views["weights"] + views["visible_bias"],
            state.seed,
            sweep=state.sweep,
            scale=scale,
            free=free_x,
            cache=state.cache,
        )
        return state.moved((X, Z), cache), {}

    def expected_blocks(self, theta, state):
        """The states themselves: means of coupled units do not tell all."""
        return state.blocks

    # -- the path from independent units ----------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """Independent visible units with the smoothed means of X; all else is 0."""
        return self.layout.pack(
            coupling=0.0,
            visible_bias=smoothed_logits(X, sample_weight),
            weights=0.0,
            hidden_coupling=0.0,
            hidden_bias=0.0,
            dtype=X.dtype,
        )

    def start_log_partition(self, theta_0, X=None, free=None):
        """Σ_j S(a_j) + Σ_k S(b_k); a held unit has a_j x_j in the place of S(a_j)."""
        views = self.layout.views(theta_0.astype(np.float64))
        a, hidden = views["visible_bias"], float(softplus(views["hidden_bias"]).sum())
        if free is None:
            return float(softplus(a).sum()) + hidden
        return np.where(free, softplus(a), X * a).sum(axis=1) + hidden

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""
        nothing = np.zeros((n_samples, self.n_features), dtype=theta_0.dtype)
        return sample_bernoulli(nothing, self.layout.views(theta_0)["visible_bias"], seed)

    # -- exact sums -------------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Σ p̃(x, z) over all states, in nats."""
        nothing, everything = np.zeros((1, self.n_features)), np.ones(self.n_features, dtype=bool)
        return float(self.log_clamped_partition(theta, nothing, everything)[0])

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], by sums over all states."""
        wide = theta.astype(np.float64)
        blocks = binary_states(self.n_features, 2**self.n_components)
        log_z, gradient = enumerate_gradient(self.evaluate(wide, states) for states in blocks)
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws, by the table of all states."""
        wide, n_hidden = theta.astype(np.float64), 2**self.n_components
        return draw_binary_states(
            self.n_features, lambda x: self.evaluate(wide, x)[0], n_hidden, n_samples, rng
        ).astype(theta.dtype)

    def n_clamped_terms(self, free):
        """2 to the number of free and hidden units."""
        return 2 ** (int(np.count_nonzero(free)) + self.n_components)

    def log_clamped_partition(self, theta, X, free):
        """log Σ p̃(x, z) over z and the free units, the others held; shape (n,), float64."""
        J, a, W, M, b = self.layout.views(theta.astype(np.float64)).values()
        J, M = self.couplings.matrix(J), self.hidden_couplings.matrix(M)
        units = np.hstack([X, np.zeros((len(X), self.n_components))])
        free = np.concatenate([free, np.ones(self.n_components, dtype=bool)])
        return log_sum_of_free_units(np.block([[J, W.T], [W, M]]), np.append(a, b), units, free)
