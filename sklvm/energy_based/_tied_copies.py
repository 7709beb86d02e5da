"""Restricted Boltzmann machines with several copies of a layer, for the stack of a deep one."""

from dataclasses import replace

import numpy as np

from sklvm.energies import block_masks

__all__ = ["TiedCopies"]


class TiedCopies:
    """A restricted machine whose layers come several times, all copies with the same weights.

    ::

        log p̃(x₁, …, x_C, z₁, …, z_D) = Σ_c Σ_d z_dᵀWx_c + Σ_c aᵀx_c + Σ_d bᵀz_d,

    the data being in all C copies of x. The input of z is C times as strong as that of an ordinary
    machine: the copies stand for the layer on the other side of z, which is not there yet
    (Salakhutdinov and Hinton, "A better way to pretrain deep Boltzmann machines", NIPS 2012).

    Parameters
    ----------
    make_machine : callable
        (n_features, n_components) → energy of a restricted machine.
    n_features, n_components : int
        Of one copy.
    n_visible, n_hidden : int
        Numbers C and D of copies.

    Attributes
    ----------
    machine : energy
        That without copies, whose parameters these are.
    """

    def __init__(self, make_machine, n_features, n_components, n_visible, n_hidden):
        self.n_features, self.n_components = n_features, n_components
        self._copies = n_visible, n_hidden
        self.machine = make_machine(n_features, n_components)
        self._whole = make_machine(n_visible * n_features, n_hidden * n_components)
        self.layout = self.machine.layout
        self.scale = getattr(self.machine, "scale", None)

    def init_parameters(self, X, rng, sample_weight=None):
        """That of the machine without copies."""
        return self.machine.init_parameters(X, rng, sample_weight)

    def posterior(self, theta, X):
        """p(z_k = 1 | x) of each copy of z, where all copies of x are alike; shape (n, K)."""
        return self.infer(theta, X)[1][:, : self.n_components]

    # -- data in, gradients out -------------------------------------------------------------------

    def infer(self, theta, X, state=None):
        """All copies of X, and the means of all copies of z."""
        return self._whole.infer(self._spread(theta), self._repeated(X))

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E/∂θ, summed over the copies."""
        return self._gathered(self._whole.joint_gradient(self._spread(theta), blocks, w))

    def _repeated(self, X):
        """The rows of X in all copies, unless they are there already."""
        is_whole = X.shape[1] == self._whole.n_features
        return X if is_whole else np.tile(X, self._copies[0])

    def _spread(self, theta):
        """θ of the machine with all copies as units of its own."""
        n_visible, n_hidden = self._copies
        views = self.layout.views(theta)
        spread = np.empty(self._whole.layout.size, dtype=theta.dtype)
        for name, whole in self._whole.layout.views(spread).items():
            whole[...] = np.tile(views[name], _repeats(name, n_visible, n_hidden, whole.ndim))
        return spread

    def _gathered(self, gradient):
        """The gradient of θ, of that of ``_spread(θ)``."""
        n_visible, n_hidden = self._copies
        gathered = np.empty(self.layout.size, dtype=gradient.dtype)
        views = self._whole.layout.views(gradient)
        for name, out in self.layout.views(gathered).items():
            repeats = _repeats(name, n_visible, n_hidden, out.ndim)
            shape = [n for pair in zip(repeats, out.shape, strict=True) for n in pair]
            out[...] = views[name].reshape(shape).sum(axis=tuple(range(0, len(shape), 2)))
        return gathered

    # -- chains -----------------------------------------------------------------------------------

    def start(self, theta, X, seed):
        """Chains at the rows of X, in all copies."""
        return self._whole.start(self._spread(theta), self._repeated(X), seed)

    def sweep(self, theta, state, *, free=None, tempering=None):
        """A sweep over all copies; their products with θ are not kept."""
        if tempering is not None:
            tempering = self._spread(tempering[0]), tempering[1]
        if free is not None:
            free = tuple(
                None if mask is None else np.tile(mask, copies)
                for mask, copies in zip(block_masks(free, 2), self._copies, strict=True)
            )
        state, info = self._whole.sweep(
            self._spread(theta), replace(state, cache=None), free=free, tempering=tempering
        )
        return state, info

    def expected_blocks(self, theta, state):
        """All copies of x, and the means of those of z."""
        return self._whole.expected_blocks(self._spread(theta), state)

    # -- temperatures -----------------------------------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        """That of the machine without copies."""
        return self.machine.tempered_start(X, sample_weight)

    def temper(self, theta_0, theta, beta):
        """As of the machine without copies."""
        return self.machine.temper(theta_0, theta, beta)

    def start_log_partition(self, theta_0, X=None, free=None):
        """Of all copies; entries are given in none of them."""
        return self._whole.start_log_partition(self._spread(theta_0))

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws of one copy of x."""
        return self.machine.sample_start(theta_0, n_samples, seed)

    def tempered_energies(self, theta_0, theta, betas, state):
        """Of all copies of x."""
        ends = self._spread(theta_0), self._spread(theta)
        return self._whole.tempered_energies(*ends, betas, replace(state, cache=None))

    # -- centred: each z has C copies of x beside it, and each x D copies of z --------------------

    def centre_gradient(self, theta, gradient, offsets):
        """That of the machine without copies, the offsets times the copies that they stand for."""
        self.machine.centre_gradient(theta, gradient, self._summed(offsets))

    def centre_change(self, theta, change, offsets):
        """Likewise."""
        self.machine.centre_change(theta, change, self._summed(offsets))

    def _summed(self, offsets):
        visible, hidden = offsets
        return self._copies[0] * visible, self._copies[1] * hidden[: self.n_components]


def _repeats(name, n_visible, n_hidden, n_axes):
    """How often a parameter comes along each of its axes."""
    if name == "weights":
        return n_hidden, n_visible
    if name == "hidden_bias":
        return (n_hidden,)
    return (n_visible,) * n_axes
