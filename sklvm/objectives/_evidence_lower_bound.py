"""The evidence lower bound of a model with continuous latent variables."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.objectives._encoder_objective import EncoderObjective, evaluate_draws
from sklvm.posteriors import Reparametrized, ScoreFunction

__all__ = ["EvidenceLowerBound"]


class EvidenceLowerBound(EncoderObjective):
    """J(θ, φ) = E_q[−log p(x|z; θ)] + β KL(q(z|x; φ) ‖ N(0, I)), q a Gaussian encoder.

    With β = 1, −J ≤ log p(x; θ), with equality where q(z|x) is the posterior. The divergence is
    computed exactly, the expectation as a mean over draws of z [1]_. β > 1 encourages latent
    variables that are independent [2]_.

    Parameters
    ----------
    beta : float, default=1.0
        β.
    n_warm_up_steps : int, default=0
        Over this many steps the weight of the divergence rises linearly from 0 to β [3]_. Held-out
        rows are always evaluated with the full weight.
    free_bits : float, default=0.0
        λ, in nats: the part of the divergence that belongs to z_j is max(λ, its mean over the
        batch), and so costs nothing below λ [4]_.
    n_mc_samples : int, default=1
        Draws of z for each row and step.
    gradient : {"reparametrization", "score_function"}, default="reparametrization"
        How φ learns from the draws. "reparametrization" goes along their path,
        z = μ(x) + L(x)ε with ε ~ N(0, I) [1]_. "score_function" needs no path,
        ∇_φ E_q[f] = E_q[(f − b) ∇_φ log q(z|x)] [5]_, and pays for that with noise, which grows
        with the number of latent variables. Both have the same mean.
    control_variate : bool, default=True
        Whether the baseline b of the score function is the mean f of the other draws: those of the
        same row if there are several, otherwise those of the other rows. False: b = 0. The baseline
        changes the variance of the gradient, not its mean.

    References
    ----------
    .. [1] Kingma, Welling, "Auto-encoding variational Bayes", ICLR 2014.
    .. [2] Higgins et al., "β-VAE: Learning basic visual concepts with a constrained variational
       framework", ICLR 2017.
    .. [3] Bowman et al., "Generating sentences from a continuous space", CoNLL 2016.
    .. [4] Kingma et al., "Improving variational inference with inverse autoregressive flow",
       NIPS 2016.
    .. [5] Paisley, Blei, Jordan, "Variational Bayesian inference with stochastic search", ICML
       2012.

    Examples
    --------
    >>> from sklvm.objectives import EvidenceLowerBound
    >>> EvidenceLowerBound(beta=4.0, n_warm_up_steps=1000)
    EvidenceLowerBound(beta=4.0, n_warm_up_steps=1000)
    """

    _state_ignores = (
        "beta",
        "n_warm_up_steps",
        "free_bits",
        "n_mc_samples",
        "gradient",
        "control_variate",
    )
    _parameter_constraints = {
        "beta": [Interval(Real, 0, None, closed="left")],
        "n_warm_up_steps": [Interval(Integral, 0, None, closed="left")],
        "free_bits": [Interval(Real, 0, None, closed="left")],
        "n_mc_samples": [Interval(Integral, 1, None, closed="left")],
        "gradient": [StrOptions({"reparametrization", "score_function"})],
        "control_variate": ["boolean"],
    }

    def __init__(
        self,
        beta=1.0,
        n_warm_up_steps=0,
        free_bits=0.0,
        n_mc_samples=1,
        gradient="reparametrization",
        control_variate=True,
    ):
        self.beta = beta
        self.n_warm_up_steps = n_warm_up_steps
        self.free_bits = free_bits
        self.n_mc_samples = n_mc_samples
        self.gradient = gradient
        self.control_variate = control_variate

    def init(self, energy, theta, X, counts, rng):
        super().init(energy, theta, X, counts, rng)
        return _State(0, np.nan, np.nan)

    def diagnostics(self, state):
        return {"reconstruction_error": state.error, "divergence": state.divergence}

    def settled(self, state):
        """The state after the warm-up, with which held-out rows are evaluated."""
        return state._replace(n_steps=max(state.n_steps, self.n_warm_up_steps))

    def step(self, energy, theta, X, weights, state, rng):
        gradient, shares = theta.empty_like(), weights / self.n_mc_samples
        posterior = self._posterior(energy, theta, X)
        sample = self._sampler().sample(posterior, rng)
        errors, pullback = evaluate_draws(energy, theta.energy, X, sample.Z)
        losses = shares * errors
        Z_bar = pullback(shares[np.newaxis].repeat(len(errors), axis=0), gradient.energy)
        outputs_bar = sample.pull(losses, None, Z_bar)

        is_warm = state.n_steps >= self.n_warm_up_steps
        beta = self.beta * (1.0 if is_warm else state.n_steps / self.n_warm_up_steps)
        divergences = weights @ posterior.divergences()
        is_costly = (divergences >= self.free_bits).astype(X.dtype)
        costs = (X.dtype.type(beta) * weights)[:, np.newaxis] * is_costly
        outputs_bar += posterior.pull_divergences(costs)
        posterior.pullback(outputs_bar, gradient.own_part("encoder_"))

        error, divergence = float(losses.sum()), float(divergences.sum())
        value = error + beta * float(np.maximum(divergences, self.free_bits).sum())
        return value, gradient, _State(state.n_steps + 1, error, divergence)

    def _sampler(self):
        if self.gradient == "reparametrization":
            return Reparametrized(self.n_mc_samples)
        return ScoreFunction(self.n_mc_samples, self.control_variate)


class _State(NamedTuple):
    """Steps made; and of the last one, the mean of −log p(x|z) and the mean divergence."""

    n_steps: int
    error: float
    divergence: float
