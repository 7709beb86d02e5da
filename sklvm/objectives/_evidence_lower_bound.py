"""The evidence lower bound of a model with continuous latent variables."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from sklvm._compat import HasMethods, Interval
from sklvm.energies import Decoder
from sklvm.objectives._base import Objective

__all__ = ["EvidenceLowerBound"]


class EvidenceLowerBound(Objective):
    """J(θ, φ) = E_q[−log p(x|z; θ)] + β KL(q(z|x; φ) ‖ N(0, I)), q a Gaussian encoder.

    With β = 1, −J ≤ log p(x; θ), and equal where q(z|x) is the posterior. The expectation is that
    of z = μ(x) + L(x)ε over drawn ε ~ N(0, I), the divergence exact [1]_. β > 1 presses the
    latent variables towards independence [2]_.

    Parameters
    ----------
    encoder : GaussianEncoder
        q. Its parameters φ are learned with θ.
    beta : float, default=1.0
        β.
    n_warm_up_steps : int, default=0
        The weight of the divergence rises linearly from 0 to β over so many steps [3]_.
    free_bits : float, default=0.0
        λ, in nats: the part of the divergence that belongs to z_j is max(λ, its mean over the
        batch), and so costs nothing below λ [4]_.
    n_mc_samples : int, default=1
        Draws of ε for each row.

    References
    ----------
    .. [1] Kingma, Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [2] Higgins et al., "β-VAE: Learning basic visual concepts with a constrained variational
       framework", ICLR 2017.
    .. [3] Bowman et al., "Generating sentences from a continuous space", CoNLL 2016.
    .. [4] Kingma et al., "Improving variational inference with inverse autoregressive flow",
       NIPS 2016.
    """

    requires = (Decoder,)
    _state_ignores = ("encoder", "beta", "n_warm_up_steps", "free_bits", "n_mc_samples")
    _parameter_constraints = {
        "encoder": [HasMethods(["encode", "init_parameters"])],  # a string has the first
        "beta": [Interval(Real, 0, None, closed="left")],
        "n_warm_up_steps": [Interval(Integral, 0, None, closed="left")],
        "free_bits": [Interval(Real, 0, None, closed="left")],
        "n_mc_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, encoder, beta=1.0, n_warm_up_steps=0, free_bits=0.0, n_mc_samples=1):
        self.encoder = encoder
        self.beta = beta
        self.n_warm_up_steps = n_warm_up_steps
        self.free_bits = free_bits
        self.n_mc_samples = n_mc_samples

    def own_layout(self, energy):
        """The encoder's φ."""
        return self.encoder.layout.prefixed("encoder_")

    def init(self, energy, theta, X, counts, rng):
        theta.own_part("encoder_")[:] = self.encoder.init_parameters(X, rng, counts)
        return _State(0, np.nan, np.nan)

    def diagnostics(self, state):
        return {"reconstruction_error": state.error, "divergence": state.divergence}

    def settled(self, state):
        """The state once the warm-up is over: what held-out rows are judged by."""
        return state._replace(n_steps=max(state.n_steps, self.n_warm_up_steps))

    def step(self, energy, theta, X, weights, state, rng):
        n_draws, gradient = self.n_mc_samples, theta.empty_like()

        encoding = self.encoder.encode(theta.own_part("encoder_"), X)
        noise = encoding.noise(n_draws, rng)
        Z = encoding.draw(noise)
        shares = weights
        if n_draws > 1:
            X, shares = np.tile(X, (n_draws, 1)), np.tile(weights / n_draws, n_draws)
        errors, pullback = energy.evaluate_given(theta.energy, X, Z.reshape(len(X), -1))
        Z_bar = pullback(shares, gradient.energy).reshape(Z.shape)

        is_warm = state.n_steps >= self.n_warm_up_steps
        beta = self.beta * (1.0 if is_warm else state.n_steps / self.n_warm_up_steps)
        divergences = weights @ encoding.divergences()
        is_costly = (divergences >= self.free_bits).astype(X.dtype)
        outputs_bar = encoding.pull_draw(noise, Z_bar)
        outputs_bar += encoding.pull_divergences(X.dtype.type(beta) * np.outer(weights, is_costly))
        encoding.pullback(outputs_bar, gradient.own_part("encoder_"))

        error = float(shares @ errors)
        divergence = float(divergences.sum())
        value = error + beta * float(np.maximum(divergences, self.free_bits).sum())
        return value, gradient, _State(state.n_steps + 1, error, divergence)


class _State(NamedTuple):
    """Steps made; and of the last one, the mean of −log p(x|z) and the mean divergence."""

    n_steps: int
    error: float
    divergence: float
