"""The energy of discrete sites that prefer, or avoid, the state of their neighbours."""

import math
from math import log

import numpy as np
from scipy.sparse import csr_array
from scipy.special import logsumexp

from sklvm.energies._chain_state import ChainState
from sklvm.energies._two_layers import LinearTempering
from sklvm.graphs import find_elimination
from sklvm.kernels import ising_sweep, pairwise_sweeps, uniform
from sklvm.layouts import ParameterLayout

__all__ = ["PottsEnergy"]

# The widest tables that exact sums take, and the cost of a state that is held to be another.
_MAX_STATES = 2**14
_FORBIDDEN = 1e30
_SMOOTHING = 0.5


class PottsEnergy(LinearTempering):
    """A Markov random field of sites with L states each, 0 to L − 1.

    ::

        E(x) = −Σ_s b_s(x_s) − Σ_{s~t} J_st [x_s = x_t],    b_s(0) = 0

    With two states it is the Ising model: of spins ±1, J_st/2 Σ s_s s_t and fields b_s/2 but for a
    constant. Sites are drawn colour by colour; log Z is exact on chains, trees, strips and small
    graphs, by summing sites out one after the other.

    Parameters
    ----------
    graph : SiteGraph
        The sites, one a feature, and their neighbours.
    n_states : int, default=2
        L.
    homogeneous : bool, default=False
        Whether all sites share b, and all edges J.

    Attributes
    ----------
    layout : ParameterLayout
        ``coupling`` J of shape (n_edges,), or (1,), and ``biases`` b of shape (n_sites, L − 1), or
        (1, L − 1), states from 1 on.
    n_terms : int
        Of the sums of exact log Z; L^n_sites where no order of the sites makes them fewer.

    References
    ----------
    Potts, Proc. Cambridge Phil. Soc. 48 (1952); Besag, J. R. Statist. Soc. B 36 (1974).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import PottsEnergy
    >>> from sklvm.graphs import grid_graph
    >>> energy = PottsEnergy(grid_graph((8, 8)), homogeneous=True)
    >>> theta = energy.layout.pack(coupling=[0.8], biases=[[0.0]])
    >>> round(energy.log_partition(theta) - 112 * 0.4, 6)  # the Ising model of J = 0.4
    54.443626
    """

    def __init__(self, graph, n_states=2, *, homogeneous=False):
        self.graph, self.n_states, self.homogeneous = graph, n_states, homogeneous
        self.n_features = graph.n_sites
        shapes = (1, 1) if homogeneous else (graph.n_edges, graph.n_sites)
        self.layout = ParameterLayout(
            {"coupling": shapes[:1], "biases": (shapes[1], n_states - 1)}, decayed=("coupling",)
        )
        max_width = math.floor(log(_MAX_STATES) / log(n_states) + 1e-9)
        self._elimination = find_elimination(graph, max_width)
        self.n_terms = n_states**graph.n_sites
        if self._elimination is not None:
            n_terms = graph.n_sites * n_states ** (self._elimination.width + 1)
            self.n_terms = min(self.n_terms, n_terms)

    def init_parameters(self, X, rng, sample_weight=None):
        """No coupling, and the biases of independent sites."""
        return self.tempered_start(X, sample_weight)

    # -- energies and conditionals ----------------------------------------------------------------

    def evaluate(self, theta, X):
        """Energies of shape (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂E(xᵢ)/∂θ."""
        states = self.site_states(X)
        J, b = self._full(theta)
        first, second = states[:, self.graph.edges[:, 0]], states[:, self.graph.edges[:, 1]]
        alike = (first == second).astype(theta.dtype)
        energies = -alike @ J - b[np.arange(self.n_features), states].sum(axis=1)

        def pullback(w):
            one_hot = states[:, :, np.newaxis] == np.arange(1, self.n_states)
            biases = np.tensordot(w, one_hot.astype(theta.dtype), axes=1)
            return self._pulled(theta, -(w @ alike), -biases)

        return energies, pullback

    def site_logits(self, theta, X):
        """tⱼₗ = b_j(l) + Σ_t J_jt [x_t = l]: shape (n, n_sites, L), and ``pullback(V)``."""
        states = self.site_states(X)
        J, b = self._full(theta)
        n, L = len(X), self.n_states
        one_hot = (states[:, :, np.newaxis] == np.arange(L)).astype(theta.dtype)
        graph = self.graph
        matrix = csr_array(
            (J[graph.slot_edges], graph.neighbours, graph.starts), shape=(graph.n_sites,) * 2
        )
        around = matrix @ one_hot.transpose(1, 0, 2).reshape(graph.n_sites, n * L)
        logits = around.reshape(-1, n, L).transpose(1, 0, 2) + b

        def pullback(V):
            coupling = np.zeros(graph.n_edges, dtype=theta.dtype)
            for end in (0, 1):
                ours, others = graph.edges[:, end], states[:, graph.edges[:, 1 - end]]
                coupling += np.take_along_axis(V[:, ours], others[:, :, np.newaxis], 2).sum((0, 2))
            return self._pulled(theta, coupling, V.sum(axis=0)[:, 1:])

        return logits, pullback

    def site_states(self, X):
        """X as integers.

        Raises
        ------
        ValueError
            For values that are no states.
        """
        states = X.astype(np.intp)
        if np.any(states != X) or np.any((states < 0) | (states >= self.n_states)):
            raise ValueError(
                f"Sites have the states 0 to {self.n_states - 1}, got values from {X.min():g} to "
                f"{X.max():g}."
            )
        return states

    # -- chains -----------------------------------------------------------------------------------

    def start(self, theta, X, seed):
        """Chains at the rows of X, or at the states that are nearest to them."""
        return ChainState((np.clip(np.rint(X), 0, self.n_states - 1),), int(seed))

    def sweep(self, theta, state, *, free=None, tempering=None):
        """All sites once, one colour after the other."""
        if tempering is not None:
            theta_0, beta = tempering
            theta = self.temper(theta_0, theta, theta.dtype.type(beta))
        mask = free[0] if isinstance(free, tuple) else free
        if mask is not None:
            mask = np.ascontiguousarray(np.atleast_2d(mask), dtype=np.uint8)
        X = state.visible
        if mask is None and self.homogeneous and self.n_states == 2 and self.graph.image_shape:
            return state.moved((self._swept_lattices(theta, X, state),)), {}
        labels = np.ascontiguousarray(self.site_states(X), dtype=np.int32)
        J, b = (part.astype(np.float64) for part in self._full(theta))
        sweeps = pairwise_sweeps(self.graph, -b, -np.eye(self.n_states)[np.newaxis], J)
        sweeps.gibbs_chains(uniform(X.shape, state.seed, sweep=state.sweep), labels, mask)
        return state.moved((labels.astype(X.dtype),)), {}

    def _swept_lattices(self, theta, X, state):
        """All sites alike on a grid: conditionals take few values, and are looked up."""
        bits = self.site_states(X).astype(np.uint8).reshape(-1, *self.graph.image_shape)
        parts = self.layout.views(theta)
        coupling, bias = float(parts["coupling"][0]), float(parts["biases"][0, 0])
        bits = ising_sweep(bits, coupling, bias, state.seed, state.sweep)
        return bits.reshape(X.shape).astype(X.dtype)

    def expected_blocks(self, theta, state):
        """The states themselves: nothing is latent."""
        return state.blocks

    # -- independent sites ------------------------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """No coupling; biases fitted to X, half a row a state being added."""
        states = self.site_states(X)
        weights = np.ones(len(X)) if sample_weight is None else sample_weight.astype(np.float64)
        one_hot = states[:, :, np.newaxis] == np.arange(self.n_states)
        counts = np.tensordot(weights, one_hot, axes=1)
        if self.homogeneous:
            counts = counts.sum(axis=0, keepdims=True)
        log_counts = np.log(counts + _SMOOTHING)
        biases = log_counts[:, 1:] - log_counts[:, :1]
        return self.layout.pack(dtype=X.dtype, coupling=0.0, biases=biases)

    def start_log_partition(self, theta_0, X=None, free=None):
        """Σ_s log Σ_l exp b_s(l), in nats; of held sites exp b_s(x_s) alone."""
        b = self._full(theta_0)[1].astype(np.float64)
        of_sites = logsumexp(b, axis=1)
        if free is None:
            return float(of_sites.sum())
        free = np.broadcast_to(free, X.shape)
        held = b[np.arange(self.n_features), self.site_states(np.where(free, 0, X))]
        return np.where(free, of_sites, held).sum(axis=1)

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""
        b = self._full(theta_0)[1].astype(np.float64)
        cumulated = np.cumsum(np.exp(b - logsumexp(b, axis=1, keepdims=True)), axis=1)
        draws = uniform((n_samples, self.n_features), seed)
        states = (draws[:, :, np.newaxis] >= cumulated[:, :-1]).sum(axis=2)
        return states.astype(theta_0.dtype)

    # -- exact sums -------------------------------------------------------------------------------

    def log_partition(self, theta):
        """log Z(θ), in nats."""
        return float(self._exact().log_partition(*self._costs(theta))[0])

    def log_partition_and_gradient(self, theta):
        """log Z(θ) in nats, and the probabilities that are its gradient."""
        log_z, sites, edges = self._exact().marginals(*self._costs(theta))
        alike = np.trace(edges[0], axis1=1, axis2=2)
        return float(log_z[0]), self._pulled(theta, alike, sites[0, :, 1:])

    def sample(self, theta, n_samples, rng):
        """Independent draws, of shape (n_samples, n_sites)."""
        return self._exact().sample(*self._costs(theta), n_samples, rng).astype(theta.dtype)

    def n_clamped_terms(self, free):
        """Terms of a row's sum over the sites in the mask `free`, of shape (d,)."""
        return min(self.n_states ** int(np.count_nonzero(free)), self.n_terms)

    def log_clamped_partition(self, theta, X, free):
        """log Σ p̃(x) over the sites in `free`, the others held at the rows of X; (n,), float64."""
        unary, tables = self._costs(theta)
        states = self.site_states(np.where(free, 0, X))
        others = states[:, :, np.newaxis] != np.arange(self.n_states)
        held = others & ~np.asarray(free)[:, np.newaxis]
        return self._exact().log_partition(np.where(held, _FORBIDDEN, unary), tables)

    def _exact(self):
        if self._elimination is None:
            raise ValueError(
                f"log Z of {self.n_features} sites would take tables of more than {_MAX_STATES} "
                "states: anneal."
            )
        return self._elimination

    def _costs(self, theta):
        J, b = (part.astype(np.float64) for part in self._full(theta))
        tables = -J[:, np.newaxis, np.newaxis] * np.eye(self.n_states)
        return -b[np.newaxis], tables[np.newaxis]

    # -- parameters of sites and edges ------------------------------------------------------------

    def _full(self, theta):
        """J of shape (n_edges,), and b of shape (n_sites, L)."""
        parts = self.layout.views(theta)
        J = np.broadcast_to(parts["coupling"], self.graph.n_edges)
        b = np.zeros((self.n_features, self.n_states), dtype=theta.dtype)
        b[:, 1:] = parts["biases"]
        return J, b

    def _pulled(self, theta, coupling, biases):
        """The gradient in θ, from those in J and in the biases of all sites."""
        if self.homogeneous:
            coupling, biases = coupling.sum(keepdims=True), biases.sum(axis=0, keepdims=True)
        return self.layout.pack(dtype=theta.dtype, coupling=coupling, biases=biases)
