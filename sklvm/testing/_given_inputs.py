"""A conditional energy at fixed inputs, as an energy of its outputs alone."""

from dataclasses import replace

import numpy as np

__all__ = ["given_inputs"]


def given_inputs(energy, x):
    """E(x, y; θ) at one x as an energy of y, with every capability that `energy` has.

    All checks of energies then hold for p(y | x), in the place of a joint density that may not
    exist.

    Parameters
    ----------
    energy : energy
        With ``n_inputs``.
    x : ndarray of shape (n_inputs,)

    Returns
    -------
    energy : energy
        Of ``n_features - n_inputs`` features.
    """
    methods = {name: method for name, method in vars(_GivenInputs).items() if hasattr(energy, name)}
    kind = type(f"{type(energy).__name__}GivenInputs", (_Rows,), methods)
    return kind(energy, x)


class _Rows:
    def __init__(self, energy, x):
        self._energy, self._x, self._n = energy, x, len(x)
        self.n_features, self.layout = energy.n_features - len(x), energy.layout
        for name in ("n_components", "scale"):
            if hasattr(energy, name):
                setattr(self, name, getattr(energy, name))

    def _whole(self, Y, fill=None):
        """[x, y], or zeros in the place of x."""
        x = self._x if fill is None else np.full(self._n, fill)
        x = np.broadcast_to(x.astype(Y.dtype), (*Y.shape[:-1], self._n))
        return np.concatenate([x, Y], axis=-1)

    def _free(self, free):
        if isinstance(free, tuple):
            return (self._free(free[0]), *free[1:])
        return None if free is None else self._whole(free.astype(bool), False)

    def _of(self, state):
        return replace(state, blocks=(self._whole(state.visible), *state.blocks[1:]))

    def _cut(self, state):
        return replace(state, blocks=self._cut_blocks(state.blocks))

    def _cut_blocks(self, blocks):
        return (blocks[0][:, self._n :], *blocks[1:])

    def _outputs(self, result):
        """(value, pullback) of an array with a column a feature."""
        value, pullback = result
        return value[:, self._n :], lambda V, *w: pullback(self._padded(V), *w)

    def _padded(self, V):
        padded = np.zeros((len(V), self._n + self.n_features, *V.shape[2:]), dtype=V.dtype)
        padded[:, self._n :] = V
        return padded


class _GivenInputs:
    """The methods, by name; those that the energy has not are left out."""

    def init_parameters(self, Y, rng, sample_weight=None):
        return self._energy.init_parameters(self._whole(Y), rng, sample_weight)

    def evaluate(self, theta, Y):
        return self._energy.evaluate(theta, self._whole(Y))

    def evaluate_joint(self, theta, Y, Z):
        return self._energy.evaluate_joint(theta, self._whole(Y), Z)

    def posterior(self, theta, Y):
        return self._energy.posterior(theta, self._whole(Y))

    def posterior_logits(self, theta, Y):
        return self._energy.posterior_logits(theta, self._whole(Y))

    def draw_hidden(self, means, seed, sweep=0):
        return self._energy.draw_hidden(means, seed, sweep)

    def infer(self, theta, Y, state=None):
        state = None if state is None else self._of(state)
        return self._cut_blocks(self._energy.infer(theta, self._whole(Y), state))

    def joint_gradient(self, theta, blocks, w):
        return self._energy.joint_gradient(theta, (self._whole(blocks[0]), *blocks[1:]), w)

    def site_logits(self, theta, Y):
        return self._outputs(self._energy.site_logits(theta, self._whole(Y)))

    def site_states(self, Y):
        return self._energy.site_states(self._whole(Y))[:, self._n :]

    def energy_and_score(self, theta, Y):
        energy, psi = self._energy.energy_and_score(theta, self._whole(Y))
        return energy, psi[:, self._n :]

    def score(self, theta, Y):
        return self._outputs(self._energy.score(theta, self._whole(Y)))

    def score_and_laplacian(self, theta, Y):
        psi, laplacian, pullback = self._energy.score_and_laplacian(theta, self._whole(Y))
        psi, pullback = self._outputs((psi, pullback))
        return psi, laplacian, pullback

    def score_and_directional_curvature(self, theta, Y, directions):
        psi, curvature, pullback = self._energy.score_and_directional_curvature(
            theta, self._whole(Y), self._whole(directions, 0.0)
        )
        psi, pullback = self._outputs((psi, pullback))
        return psi, curvature, pullback

    def curvature(self, theta):
        return self._energy.curvature(theta)

    def start(self, theta, Y, seed):
        return self._cut(self._energy.start(theta, self._whole(Y), seed))

    def sweep(self, theta, state, *, free=None, tempering=None):
        state, info = self._energy.sweep(
            theta, self._of(state), free=self._free(free), tempering=tempering
        )
        return self._cut(state), info

    def expected_blocks(self, theta, state):
        return self._cut_blocks(self._energy.expected_blocks(theta, self._of(state)))

    def expected_visible(self, theta, state):
        return self._energy.expected_visible(theta, self._of(state))[:, self._n :]

    def tempered_start(self, Y, sample_weight=None):
        return self._energy.tempered_start(self._whole(Y), sample_weight)

    def temper(self, theta_0, theta, beta):
        return self._energy.temper(theta_0, theta, beta)

    def tempered_energies(self, theta_0, theta, betas, state):
        return self._energy.tempered_energies(theta_0, theta, betas, self._of(state))

    def start_log_partition(self, theta_0, Y=None, free=None):
        if Y is None:
            Y, free = np.zeros((1, self.n_features)), np.ones(self.n_features, dtype=bool)
            return float(self.start_log_partition(theta_0, Y, free)[0])
        return self._energy.start_log_partition(theta_0, self._whole(Y), self._free(free))

    def sample_start(self, theta_0, n_samples, seed):
        return self._energy.sample_start(theta_0, n_samples, seed)[:, self._n :]

    def n_clamped_terms(self, free):
        return self._energy.n_clamped_terms(self._free(free))

    def log_clamped_partition(self, theta, Y, free):
        return self._energy.log_clamped_partition(theta, self._whole(Y), self._free(free))
