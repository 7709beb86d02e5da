"""The energy of the fully visible Boltzmann machine."""

import numpy as np

from sklvm.energies._binary_sites import BinarySites
from sklvm.energies._binary_states import (
    binary_states,
    draw_binary_states,
    enumerate_gradient,
    log_sum_of_free_units,
    smoothed_logits,
)
from sklvm.energies._chain_state import ChainState, block_masks
from sklvm.energies._pair_couplings import PairCouplings
from sklvm.energies._two_layers import LinearTempering
from sklvm.kernels import sample_bernoulli, settle_sites, softplus
from sklvm.layouts import ParameterLayout

__all__ = ["BoltzmannMachineEnergy"]

# Of units to their more probable state: more than enough, as each change lowers the energy.
MAX_SWEEPS = 10_000


class BoltzmannMachineEnergy(LinearTempering, BinarySites):
    """−log p̃ of binary units that are coupled in pairs, all of them visible. ::

        log p̃(x) = ½ xᵀJx + bᵀx,        x ∈ {0, 1}^d, J symmetric with diagonal 0 [1]_.

    It is linear in J and b: likelihood, pseudo-likelihood and noise-contrastive criteria are
    concave. Capabilities: marginal, site conditionals, Gibbs by single sites, tempered, exact
    partition over all states, clamped partition, centred.

    Parameters
    ----------
    n_features : int
        d.
    graph : SiteGraph, default=None
        The pairs that may be coupled; None: all.

    Attributes
    ----------
    couplings : PairCouplings
    layout : ParameterLayout
        ``coupling`` (J, one number a pair) and ``visible_bias`` (b).
    n_terms : int
        2^d.

    References
    ----------
    .. [1] Ackley, Hinton, Sejnowski, "A learning algorithm for Boltzmann machines", Cognitive
       Science 9 (1985).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BoltzmannMachineEnergy
    >>> energy = BoltzmannMachineEnergy(2)
    >>> theta = energy.layout.pack(coupling=[np.log(3)], visible_bias=0.0)
    >>> energy.sample(theta, 1000, np.random.default_rng(0)).prod(axis=1).mean().round(1)  # 3/6
    np.float64(0.5)
    """

    n_components = 0

    def __init__(self, n_features, graph=None):
        self.n_features = n_features
        self.couplings = PairCouplings(n_features, graph)
        self.n_terms = 2**n_features
        self.layout = ParameterLayout(
            {"coupling": (self.couplings.n_pairs,), "visible_bias": (n_features,)},
            decayed=("coupling",),
        )

    def init_parameters(self, X, rng, sample_weight=None):
        """J = 0, b the smoothed logits of the means of X."""
        return self.tempered_start(X, sample_weight)

    def evaluate(self, theta, X):
        """E = −½ xᵀJx − bᵀx of shape (n,), and ``pullback(w)``."""
        J, b = self.layout.views(theta).values()
        energy = -0.5 * np.einsum("ij,ij->i", self.couplings.products(J, X), X) - X @ b
        return energy, lambda w: self.joint_gradient(theta, (X,), w)

    def flip_logits(self, theta, X):
        """u = Jx + b, shape (n, d), and ``pullback(V)``."""
        J, b = self.layout.views(theta).values()

        def pullback(V):
            coupling = self.couplings.pull(V, X)
            bias = V.sum(axis=0)
            return self.layout.pack(coupling=coupling, visible_bias=bias, dtype=theta.dtype)

        return self.couplings.products(J, X) + b, pullback

    def settle(self, theta, X, free=None):
        """Rows that no change of a single unit makes more probable, reached unit by unit from X."""
        values, b = self.layout.views(theta).values()
        J, X = self.couplings.matrix(values), np.array(X, dtype=theta.dtype, order="C")
        settle_sites(X, X @ J, J, b, free=free, max_sweeps=MAX_SWEEPS)
        return X

    # -- nothing is latent ------------------------------------------------------------------------

    def infer(self, theta, X, state=None):
        """The blocks (X,)."""
        return (X,)

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ)/∂θ."""
        (X,) = blocks
        coupling, bias = -self.couplings.pull_square(w, X), -(w @ X)
        return self.layout.pack(coupling=coupling, visible_bias=bias, dtype=theta.dtype)

    # -- centred: ½ (x − μ)ᵀJ(x − μ) + b_cᵀx, so that b = b_c − Jμ ---------------------------------

    def centre_gradient(self, theta, gradient, offsets):
        """∇J − μ(∇b)ᵀ − ∇b μᵀ; ∇b stays."""
        J, b = self.layout.views(gradient).values()
        J -= self.couplings.pull(b[np.newaxis], offsets[0][np.newaxis])

    def centre_change(self, theta, change, offsets):
        """ΔJ; Δb = Δb_c − ΔJ μ."""
        J, b = self.layout.views(change).values()
        b -= self.couplings.products(J, offsets[0][np.newaxis])[0]

    # -- chains, unit after unit ------------------------------------------------------------------

    def start(self, theta, X, seed):
        """Chains at the rows of X."""
        return ChainState((X,), int(seed))

    def sweep(self, theta, state, *, free=None, tempering=None):
        """All units once; β scales their inputs, so that those at θ serve all temperatures."""
        J, bias = self.layout.views(theta).values()
        scale = 1.0
        if tempering is not None:
            theta_0, scale = tempering[0], float(tempering[1])
            bias_0 = self.layout.views(theta_0)["visible_bias"]
            bias = self.temper(bias_0, bias, theta.dtype.type(scale))
        X, cache = self.couplings.sweep(
            J,
            state.visible,
            bias,
            state.seed,
            sweep=state.sweep,
            scale=scale,
            free=block_masks(free, 1)[0],
            cache=state.cache,
        )
        return state.moved((X,), cache), {}

    def expected_blocks(self, theta, state):
        """The states themselves: nothing is latent."""
        return state.blocks

    # -- the path from independent units ----------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """J = 0, b the smoothed logits of the means of X."""
        bias = smoothed_logits(X, sample_weight)
        return self.layout.pack(coupling=0.0, visible_bias=bias, dtype=X.dtype)

    def tempered_energies(self, theta_0, theta, betas, state):
        """E(x) at each inverse temperature: linear in θ, and so in β."""
        start = -(state.visible @ self.layout.views(theta_0)["visible_bias"])
        end, _ = self.evaluate(theta, state.visible)
        return np.stack([self.temper(start, end, beta) for beta in betas])

    def start_log_partition(self, theta_0, X=None, free=None):
        """Σ_j S(b_j), where J = 0; a held unit has b_j x_j in the place of S(b_j)."""
        b = self.layout.views(theta_0.astype(np.float64))["visible_bias"]
        if free is None:
            return float(softplus(b).sum())
        return np.where(free, softplus(b), X * b).sum(axis=1)

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""
        nothing = np.zeros((n_samples, self.n_features), dtype=theta_0.dtype)
        return sample_bernoulli(nothing, self.layout.views(theta_0)["visible_bias"], seed)

    # -- exact sums -------------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Σ p̃(x) over all states, in nats."""
        nothing, everything = np.zeros((1, self.n_features)), np.ones(self.n_features, dtype=bool)
        return float(self.log_clamped_partition(theta, nothing, everything)[0])

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], by sums over all states."""
        wide = theta.astype(np.float64)
        log_z, gradient = enumerate_gradient(
            self.evaluate(wide, states) for states in binary_states(self.n_features)
        )
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws, by the table of all states."""
        wide = theta.astype(np.float64)
        return draw_binary_states(
            self.n_features, lambda states: self.evaluate(wide, states)[0], 1, n_samples, rng
        ).astype(theta.dtype)

    def n_clamped_terms(self, free):
        """2 to the number of free units."""
        return 2 ** int(np.count_nonzero(free))

    def log_clamped_partition(self, theta, X, free):
        """log Σ p̃(x) over the states of the free units, the others held; shape (n,), float64."""
        J, b = self.layout.views(theta.astype(np.float64)).values()
        return log_sum_of_free_units(self.couplings.matrix(J), b, X, free)
