"""Variational noise-contrastive estimation."""

import math
from numbers import Integral

import numpy as np
from scipy.special import logsumexp
from sklearn.base import clone

from sklvm._compat import Interval, StrOptions
from sklvm.energies import (
    MAX_LISTED_UNITS,
    Decoder,
    ExactPosterior,
    Joint,
    LatentStates,
    VariationalPosterior,
    prior_energy,
)
from sklvm.kernels import sigmoid, softplus
from sklvm.networks import ACTIVATIONS, check_layer_sizes
from sklvm.objectives._base import ONE_LOG_PARTITION
from sklvm.objectives._encoder_objective import EncoderObjective, evaluate_draws
from sklvm.objectives._noise import NOISE_CONSTRAINTS, FreshNoise, LearnedLogPartition
from sklvm.objectives._reference_densities import reference_density
from sklvm.posteriors import (
    AllStates,
    AtMean,
    DiscreteEncoder,
    Encoder,
    ExactEncoder,
    GaussianEncoder,
    ModelEncoder,
    Reparametrized,
    ScoreFunction,
)

__all__ = ["VariationalNoiseContrastiveEstimation"]


class VariationalNoiseContrastiveEstimation(EncoderObjective):
    """Noise-contrastive estimation of p̃(x) = Σ_z p̃(x, z) by the joint p̃ and a posterior q(z|x).

    ::

        J = E_data E_q[softplus(−G(x, z))] + ν E_noise[softplus(log E_q[exp G(x, z)])],
        G(x, z) = log p̃(x, z) − c − log q(z|x) − log p_n(x) − log ν,

    for a sum or an integral over z that cannot be done [1]_. The second term is that of
    noise-contrastive estimation itself, whatever q is, since E_q[p̃(x, z)/q(z|x)] = p̃(x). The
    first is an upper bound of its counterpart, by Jensen's inequality. The gap ::

        E_data E_q[log(κ + (1 − κ) q(z|x)/p(z|x))],   κ = p(x)/(p(x) + ν p_n(x)),  p = p̃/exp c,

    is an f-divergence of q(z|x) from the posterior p(z|x), none where they are the same. θ, log Z =
    c and q are learned together.

    *A finite number S of importance samples* makes log E_q[exp G] the logarithm of a mean over
    draws. log(1 + r) is concave in r, so that the second term comes out too low in expectation, the
    more so the worse q is: −J, which the paper maximises, is biased upward, and no bound any more.
    A worse q would thus be rewarded; q is trained by the first term alone, on which all of the
    exact criterion's dependence on q rests.

    How q learns: real z move with q's parameters, z = μ(x) + L(x)ε. Discrete z do not, and the
    gradient is that of the score function, h ∇ log q(z|x) with h = softplus(−G) + s(−G), and the
    mean h of the row's other draws as control variate (of the other rows, where each has one draw);
    or it is the exact sum over all states, by ``n_importance_samples="all"``.

    Parameters
    ----------
    noise_ratio : int, default=10
        ν, noise rows a data row.
    reference : str, density or estimator, default="auto"
        The noise p_n, as for ``NoiseContrastiveEstimation``. For an energy that decodes real latent
        variables, "auto" is independent units where all training data are 0 or 1.
    posterior : {"auto", "exact", "encoder"} or encoder, default="auto"
        q. "exact" is the energy's own posterior, where it is known: the criterion is then
        noise-contrastive estimation, in value and gradient, and draws no z. "encoder" is a
        perceptron, with independent z_k (``DiscreteEncoder``, or ``GaussianEncoder`` for real
        z); one with settings of its own may be given. "auto" is exact where that is possible, the q
        that the energy itself brings along where it does, and else an encoder.
    hidden_layer_sizes : tuple of int, or int, default=(64,)
        Of the encoder.
    activation : {"identity", "relu", "sigmoid", "softplus", "tanh"}, default="relu"
        Of the encoder's hidden layers.
    n_importance_samples : int or "all", default=10
        S, draws of z for each row of data and noise. "all" takes every state of a discrete z, of at
        most 12 binary units, with its probability: no draws, and no bias.
    frozen_noise : bool, default=False
        Whether to draw the noise rows once for the whole fit. Where no z are drawn either the
        criterion is then deterministic.

    References
    ----------
    .. [1] Rhodes, Gutmann, "Variational noise-contrastive estimation", AISTATS 2019.

    Examples
    --------
    >>> from sklvm.objectives import VariationalNoiseContrastiveEstimation
    >>> VariationalNoiseContrastiveEstimation(posterior="encoder", n_importance_samples=20)
    VariationalNoiseContrastiveEstimation(n_importance_samples=20,
                                          posterior='encoder')
    """

    _parameter_constraints = {
        **NOISE_CONSTRAINTS,
        "posterior": [
            StrOptions({"auto", "exact", "encoder"}),
            Encoder,
        ],
        "hidden_layer_sizes": [tuple, list, Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "n_importance_samples": [StrOptions({"all"}), Interval(Integral, 1, None, closed="left")],
    }

    takes_missing = False

    def __init__(
        self,
        noise_ratio=10,
        reference="auto",
        posterior="auto",
        hidden_layer_sizes=(64,),
        activation="relu",
        n_importance_samples=10,
        frozen_noise=False,
    ):
        self.noise_ratio = noise_ratio
        self.reference = reference
        self.posterior = posterior
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_importance_samples = n_importance_samples
        self.frozen_noise = frozen_noise

    @property
    def requires(self):
        return (ExactPosterior,) if self._is("exact") else ((Joint, Decoder),)

    @property
    def deterministic(self):
        return self.frozen_noise and (self._is("exact") or self.n_importance_samples == "all")

    def own_layout(self, energy):
        """γ = c/√d, and the encoder's φ."""
        if self._is_in_theta(energy):
            return LearnedLogPartition.layout
        return LearnedLogPartition.layout + super().own_layout(energy)

    def conditional_obstacle(self, energy):
        return ONE_LOG_PARTITION

    def init(self, energy, theta, X, counts, rng):
        sampler = self._sampler(energy)
        if not self._is_in_theta(energy):
            super().init(energy, theta, X, counts, rng)

        def log_model(rows):
            draws = sampler.sample(self._posterior(energy, theta, rows), rng)
            energies, _ = _joint_energies(energy, theta.energy, rows, draws.Z)
            return logsumexp(draws.log_shares - energies - draws.log_density, axis=0)

        noise = FreshNoise(reference_density(self.reference, energy, X, counts, rng))
        log_partition = LearnedLogPartition(X.shape[1])
        log_partition.start(theta, log_model, noise.density, X, counts, rng)
        if self.frozen_noise:
            noise = noise.frozen(self.noise_ratio * len(X), rng, X.dtype)
        return noise

    def step(self, energy, theta, X, weights, state, rng):
        nu, n = self.noise_ratio, len(X)
        sampler, log_partition = self._sampler(energy), LearnedLogPartition(X.shape[1])
        rows, log_reference, state = state.beside(X, nu, rng)
        posterior = self._posterior(energy, theta, rows[:n])
        of_data = sampler.sample(posterior, rng)
        of_noise = sampler.sample(self._posterior(energy, theta, rows[n:]), rng)
        Z, log_posterior = (
            np.concatenate(both, axis=1)
            for both in ((of_data.Z, of_noise.Z), (of_data.log_density, of_noise.log_density))
        )
        energies, pullback = _joint_energies(energy, theta.energy, rows, Z)
        offset = X.dtype.type(log_partition.value(theta) + math.log(nu))
        contrast = -energies - log_posterior - log_reference - offset

        # A batch has the share of the noise that it has of the data's weight.
        noise_weight = weights.sum() / n
        shares = weights * np.exp(of_data.log_shares)
        losses = shares * softplus(-contrast[:, :n])
        log_terms = of_noise.log_shares + contrast[:, n:]
        log_ratio = logsumexp(log_terms, axis=0)
        value = losses.sum() + noise_weight * softplus(log_ratio).sum()

        slope = np.empty_like(contrast)
        slope[:, :n] = -shares * sigmoid(-contrast[:, :n])
        slope[:, n:] = noise_weight * sigmoid(log_ratio) * np.exp(log_terms - log_ratio)
        # What rounding loses anyway: products with it would be subnormal, and slow.
        slope[np.abs(slope) < noise_weight * np.finfo(slope.dtype).eps ** 2] = 0
        gradient = theta.empty_like()
        gradient.energy[...], Z_bar = pullback(-slope)
        log_partition.pull(gradient, -slope.sum())
        if not self._is_exact(energy):
            # G falls with log q.
            outputs_bar = of_data.pull(
                losses, -slope[:, :n], None if Z_bar is None else Z_bar[:, :n]
            )
            if self._is_in_theta(energy):
                of_posterior = np.empty_like(gradient.energy)
                posterior.pullback(outputs_bar, of_posterior)
                gradient.energy[...] += of_posterior
            else:
                posterior.pullback(outputs_bar, gradient.own_part("encoder_"))
        return float(value), gradient, state

    def _is(self, name):
        return isinstance(self.posterior, str) and self.posterior == name

    def _is_exact(self, energy):
        return self._is("exact") or (self._is("auto") and isinstance(energy, ExactPosterior))

    def _is_in_theta(self, energy):
        """Whether q's parameters are the energy's own."""
        is_automatic = self._is("auto") and isinstance(energy, VariationalPosterior)
        return self._is_exact(energy) or is_automatic

    def _sampler(self, energy):
        """What stands for q; raises ``ValueError`` where not all states of z can be listed."""
        if self._is_exact(energy):
            return AtMean()
        if self.n_importance_samples == "all":
            return AllStates(_all_states(energy))
        ways = ScoreFunction if isinstance(energy, Joint) else Reparametrized
        return ways(self.n_importance_samples)

    def _posterior(self, energy, theta, X):
        """q(z|x) of the rows of X."""
        if self._is_in_theta(energy):
            encoder = ExactEncoder if self._is_exact(energy) else ModelEncoder
            return encoder(energy).encode(theta.energy, X)
        return super()._posterior(energy, theta, X)

    def with_encoder(self, encoder):
        """A copy that learns the given encoder, unless ``posterior`` is one already."""
        return super().with_encoder(encoder) if isinstance(self.posterior, str) else clone(self)

    def _default_encoder(self, energy):
        if not isinstance(self.posterior, str):
            return self.posterior
        hidden = check_layer_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        shape = energy.n_features, energy.n_components, hidden, self.activation
        if not isinstance(energy, Joint):
            return GaussianEncoder(*shape)
        is_listed = isinstance(energy, LatentStates)
        return DiscreteEncoder(*shape, states=energy.latent_states() if is_listed else None)


def _all_states(energy):
    if isinstance(energy, LatentStates):
        return energy.latent_states()
    if not isinstance(energy, Joint) or energy.n_components > MAX_LISTED_UNITS:
        raise ValueError(
            f"n_importance_samples='all' lists the states of at most {MAX_LISTED_UNITS} binary "
            f"latent variables, and this {type(energy).__name__} has {energy.n_components}"
            f"{'' if isinstance(energy, Joint) else ' real ones'}. Give the number of draws."
        )
    units = np.arange(energy.n_components)
    return ((np.arange(2**energy.n_components)[:, np.newaxis] >> units) & 1).astype(np.float64)


def _joint_energies(energy, theta, X, Z):
    """E(x_i, z_si) of shape (S, n), and ``pullback(w)`` → θ's gradient and Z's, or None."""
    if isinstance(energy, Joint):
        energies, joint_pullback = energy.evaluate_joint(theta, X, Z)
        return energies, lambda w: (joint_pullback(w), None)
    errors, decoder_pullback = evaluate_draws(energy, theta, X, Z)

    def pullback(w):
        gradient = np.empty_like(theta)
        return gradient, decoder_pullback(w, gradient) + w[..., np.newaxis] * Z

    return errors + prior_energy(Z), pullback
