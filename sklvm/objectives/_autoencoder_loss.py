"""The criterion of auto-encoders: a decoder behind a deterministic encoder."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.kernels import standard_normal
from sklvm.objectives._encoder_objective import DEFAULT_LAYERS, EncoderObjective, evaluate_draws
from sklvm.posteriors import PointEncoder

__all__ = ["AutoencoderLoss"]


class AutoencoderLoss(EncoderObjective):
    """J(θ, φ) = E[−log p(x|f(x̃)) + ‖f(x̃)‖²/(2τ²) + ½ λ ‖∂f/∂x(x̃)‖²_F],  f the encoder.

    With a Gaussian likelihood of given σ the first term is ‖x − g(f(x̃))‖²/(2σ²) plus a constant.
    The first two terms are minus the evidence lower bound with the posterior δ(z − f(x)) and the
    prior N(0, τ²I), except for an infinite constant: this criterion fits no density. Noise at the
    input, x̃ = x + noise, gives a denoising auto-encoder [1]_, and λ > 0 a contractive one [2]_.

    Parameters
    ----------
    tau : float, default=1.0
        τ, the prior's standard deviation of the latent variables.
    noise_level : float, default=0.0
        Standard deviation of the noise, in the units of x.
    contraction : float, default=0.0
        λ. Its cost grows with the square of the encoder's first hidden layer.

    References
    ----------
    .. [1] Vincent et al., "Extracting and composing robust features with denoising autoencoders",
       ICML 2008.
    .. [2] Rifai, Vincent, Muller, Glorot, Bengio, "Contractive auto-encoders: explicit invariance
       during feature extraction", ICML 2011.

    Examples
    --------
    >>> from sklvm.objectives import AutoencoderLoss
    >>> AutoencoderLoss(noise_level=0.3)
    AutoencoderLoss(noise_level=0.3)
    """

    fits_density = False
    _parameter_constraints = {
        "tau": [Interval(Real, 0, None, closed="neither")],
        "noise_level": [Interval(Real, 0, None, closed="left")],
        "contraction": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, tau=1.0, noise_level=0.0, contraction=0.0):
        self.tau = tau
        self.noise_level = noise_level
        self.contraction = contraction

    @property
    def deterministic(self):
        return self.noise_level == 0

    @property
    def takes_missing(self):
        return self.contraction == 0

    def init(self, energy, theta, X, counts, rng):
        super().init(energy, theta, X, counts, rng)
        if self.contraction > 0:
            # Raises where an activation has no second derivative.
            self._posterior(energy, theta, X[:1]).jacobian_norms()
        return np.nan

    def diagnostics(self, state):
        """``reconstruction_error``: the mean of −log p(x|f(x̃)), in nats."""
        return {"reconstruction_error": state}

    def step(self, energy, theta, X, weights, state, rng):
        gradient, inputs = theta.empty_like(), X
        if not self.deterministic:
            noise = standard_normal(X.shape, int(rng.integers(2**63)), dtype=X.dtype)
            inputs = X + X.dtype.type(self.noise_level) * noise
        posterior, errors, penalties, pull = self._losses(energy, theta, X, inputs)
        outputs_bar, norms_pulled = pull(weights, gradient.energy)
        posterior.pullback(outputs_bar, gradient.own_part("encoder_"), norms_pulled)
        error = float(weights @ errors)
        return error + float(weights @ penalties), gradient, error / float(weights.sum())

    def row_losses(self, energy, theta, X):
        """The criterion of each row without noise, shape (n,)."""
        _, errors, penalties, _ = self._losses(energy, theta, X, X)
        return errors + penalties

    def _losses(self, energy, theta, X, inputs):
        """The posterior, the errors and penalties of the rows, and what pulls both back."""
        posterior = self._posterior(energy, theta, inputs)
        Z, precision = posterior.mean, X.dtype.type(self.tau**-2)
        errors, pullback = evaluate_draws(energy, theta.energy, X, Z[np.newaxis])
        penalties = 0.5 * precision * np.einsum("nk,nk->n", Z, Z)
        contraction = X.dtype.type(self.contraction)
        if contraction > 0:
            norms, pull_norms = posterior.jacobian_norms()
            penalties += 0.5 * contraction * norms

        def pull(w, out):
            Z_bar = pullback(w[np.newaxis], out)[0] + precision * w[:, np.newaxis] * Z
            return Z_bar, pull_norms(0.5 * contraction * w) if contraction > 0 else None

        return posterior, errors[0], penalties, pull

    def _default_encoder(self, energy):
        return PointEncoder(energy.n_features, energy.n_components, DEFAULT_LAYERS)
