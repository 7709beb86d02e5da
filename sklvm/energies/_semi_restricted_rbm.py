"""The energy of the semi-restricted Boltzmann machine over bits."""

import numpy as np
from scipy.special import logsumexp

from sklvm.energies._bernoulli_rbm import BernoulliRBMEnergy
from sklvm.energies._binary_sites import BinarySites
from sklvm.energies._binary_states import binary_states, draw_binary_states, enumerate_gradient
from sklvm.energies._pair_couplings import PairCouplings
from sklvm.energies._two_layers import TwoLayers
from sklvm.kernels import sigmoid
from sklvm.layouts import ParameterLayout

__all__ = ["SemiRestrictedRBMEnergy"]

N_MEAN_FIELD_SWEEPS = 50


class SemiRestrictedRBMEnergy(TwoLayers, BinarySites):
    """−log p̃ of bits that are coupled with each other, and binary hidden units that are not. ::

        log p̃(x, z) = ½ xᵀJx + aᵀx + zᵀ(Wx + b),   J symmetric with diagonal 0 [1]_,

    the sum of a ``BernoulliRBMEnergy``, whose parameters come first in θ, and of ½ xᵀJx. Given x
    hidden units are independent; given z, x is a Boltzmann machine, and a sweep visits its units
    one after the other. Capabilities: marginal, joint, independent binary latents, Gibbs, tempered,
    site conditionals, exact and clamped partition over the visible units, centred.

    Parameters
    ----------
    n_features, n_components : int
    graph : SiteGraph, default=None
        The pairs of visible units that may be coupled; None: all.

    Attributes
    ----------
    layout : ParameterLayout
        ``weights`` (W), ``visible_bias`` (a), ``hidden_bias`` (b), ``coupling`` (J, one number a
        pair).

    References
    ----------
    .. [1] Osindero, Hinton, "Modeling image patches with a directed hierarchy of Markov random
       fields", NIPS 2007.
    """

    # There is no mean of a unit given hidden ones alone.
    expected_visible = None

    def __init__(self, n_features, n_components, graph=None):
        self.n_features, self.n_components = n_features, n_components
        self.n_terms = 2**n_features
        self.rbm = BernoulliRBMEnergy(n_features, n_components)
        self.couplings = PairCouplings(n_features, graph)
        own = ParameterLayout({"coupling": (self.couplings.n_pairs,)}, decayed=("coupling",))
        self.layout = self.rbm.layout + own

    def _split(self, theta):
        return theta[: self.rbm.layout.size], theta[self.rbm.layout.size :]

    def _without_couplings(self, theta_rbm):
        return np.append(theta_rbm, np.zeros(self.couplings.n_pairs, dtype=theta_rbm.dtype))

    def init_parameters(self, X, rng, sample_weight=None):
        """The start of a ``BernoulliRBMEnergy``, and J = 0."""
        return self._without_couplings(self.rbm.init_parameters(X, rng, sample_weight))

    def terms(self, theta, X):
        """E₀(x) = −½ xᵀJx − aᵀx, u = Wx + b, and their pullback."""
        of_rbm, J = self._split(theta)
        energy, u, pull = self.rbm.terms(of_rbm, X)
        energy -= 0.5 * np.einsum("ij,ij->i", self.couplings.products(J, X), X)

        def pullback(w, U_bar):
            return np.append(pull(w, U_bar), -self.couplings.pull_square(w, X))

        return energy, u, pullback

    def posterior_logits(self, theta, X):
        """u, shape (n, K)."""
        return self.rbm.posterior_logits(self._split(theta)[0], X)

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ: without the product that gives u."""
        gradient = self.rbm.joint_gradient(self._split(theta)[0], blocks, w)
        return np.append(gradient, -self.couplings.pull_square(w, blocks[0]))

    def flip_logits(self, theta, X):
        """Those of a ``BernoulliRBMEnergy`` and Jx, and ``pullback(V)``."""
        of_rbm, J = self._split(theta)
        logits, pull = self.rbm.flip_logits(of_rbm, X)
        logits = logits + self.couplings.products(J, X)
        return logits, lambda V: np.append(pull(V), self.couplings.pull(V, X))

    # -- visible units given hidden ones ----------------------------------------------------------

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None):
        """x after a sweep over its units given z, from `current`; those not `free` stay."""
        views = self.layout.views(theta)
        bias = Z @ views["weights"] + views["visible_bias"]
        J = views["coupling"]
        return self.couplings.sweep(J, current, bias, seed, sweep=sweep, free=free)[0]

    def given_mean(self, theta, Z, X, free):
        """x with its free units at their mean-field means given z and the others."""
        views = self.layout.views(theta)
        bias = Z @ views["weights"] + views["visible_bias"]
        X = np.where(free, sigmoid(bias), X)
        for _ in range(N_MEAN_FIELD_SWEEPS):
            mean = sigmoid(bias + self.couplings.products(views["coupling"], X))
            X = np.where(free, 0.5 * (X + mean), X)
        return X

    def visible_mean(self, theta, Z):
        """The mean-field means of x given z: a fixed point of m = s(a + Wᵀz + Jm)."""
        X = np.zeros((len(Z), self.n_features), dtype=theta.dtype)
        return self.given_mean(theta, Z, X, np.ones(self.n_features, dtype=bool))

    # -- centred ----------------------------------------------------------------------------------

    def centre_gradient(self, theta, gradient, offsets):
        """That of a ``BernoulliRBMEnergy``; ∇J − μ(∇a)ᵀ − ∇a μᵀ."""
        (of_rbm, _), (rbm_out, J_out) = self._split(theta), self._split(gradient)
        self.rbm.centre_gradient(of_rbm, rbm_out, offsets)
        bias = self.layout.views(gradient)["visible_bias"]
        J_out -= self.couplings.pull(bias[np.newaxis], offsets[0][np.newaxis])

    def centre_change(self, theta, change, offsets):
        """That of a ``BernoulliRBMEnergy``; Δa = Δa_c − ΔJ μ − ΔWᵀλ."""
        (of_rbm, _), (rbm_out, J_out) = self._split(theta), self._split(change)
        self.rbm.centre_change(of_rbm, rbm_out, offsets)
        pulled = self.couplings.products(J_out, offsets[0][np.newaxis])[0]
        self.layout.views(change)["visible_bias"][...] -= pulled

    # -- tempered: linear in θ --------------------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """That of a ``BernoulliRBMEnergy``, and J = 0."""
        return self._without_couplings(self.rbm.tempered_start(X, sample_weight))

    def start_log_partition(self, theta_0, X=None, free=None):
        """That of independent units."""
        return self.rbm.start_log_partition(self._split(theta_0)[0], X, free)

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""
        return self.rbm.sample_start(self._split(theta_0)[0], n_samples, seed)

    # -- exact sums over the visible units --------------------------------------------------------

    def log_partition(self, theta):
        """log Σ p̃(x) over all states of the visible units, in nats."""
        nothing, everything = np.zeros((1, self.n_features)), np.ones(self.n_features, dtype=bool)
        return float(self.log_clamped_partition(theta, nothing, everything)[0])

    def log_partition_and_gradient(self, theta):
        """log Z and −E_model[∂E/∂θ], by sums over the states of the visible units."""
        wide = theta.astype(np.float64)
        log_z, gradient = enumerate_gradient(
            self.evaluate(wide, states)
            for states in binary_states(self.n_features, self.n_components)
        )
        return log_z, gradient.astype(theta.dtype)

    def sample(self, theta, n_samples, rng):
        """Independent draws, by the table of all states."""
        wide = theta.astype(np.float64)
        return draw_binary_states(
            self.n_features,
            lambda states: self.evaluate(wide, states)[0],
            self.n_components,
            n_samples,
            rng,
        ).astype(theta.dtype)

    def n_clamped_terms(self, free):
        """2 to the number of free units."""
        return 2 ** int(np.count_nonzero(free))

    def log_clamped_partition(self, theta, X, free):
        """log Σ p̃(x) over the states of the free units, the others held; shape (n,), float64."""
        wide, log_sums = theta.astype(np.float64), []
        for states in binary_states(
            int(free.sum()), len(X) * (self.n_features + self.n_components)
        ):
            rows = np.repeat(X.astype(np.float64), len(states), axis=0)
            rows[:, free] = np.tile(states, (len(X), 1))
            energies = self.evaluate(wide, rows)[0].reshape(len(X), -1)
            log_sums.append(logsumexp(-energies, axis=1))
        return logsumexp(log_sums, axis=0)
