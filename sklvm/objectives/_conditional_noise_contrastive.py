"""Conditional noise-contrastive estimation."""

import math
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.densities import GaussianDensity
from sklvm.energies import Marginal, Score, free_entries
from sklvm.kernels import sigmoid, softplus, standard_normal
from sklvm.objectives._base import Objective

__all__ = ["ConditionalNoise", "ConditionalNoiseContrastiveEstimation"]

# The loss of a guess at random, which is all that can be done where a row looks like its noise.
CHANCE = 2 * math.log(2)


@dataclass(frozen=True)
class ConditionalNoise:
    """The noise of a training in progress.

    Parameters
    ----------
    level : float
        ε.
    greatest_level : float
        Where ε started.
    factor : ndarray of shape (d, d) or float or None
        L, symmetric; None: bits are flipped.
    n_adaptations_left : int
        Steps that may still change ε.
    """

    level: float
    greatest_level: float
    factor: object
    n_adaptations_left: int

    def draw(self, X, n_noise, rng, free=None):
        """κ noise rows for each row, shape (κn, d), those of row i at i, n + i, 2n + i, …

        Entries outside the mask `free`, of shape (d,), are copied from the row.
        """
        noise = self._draw(X, n_noise, rng)
        return noise if free is None else np.where(free, noise, np.tile(X, (n_noise, 1)))

    def _draw(self, X, n_noise, rng):
        n, d = X.shape
        if self.factor is None:
            flips = rng.random((n_noise, n, d), dtype=X.dtype) < self.level
            return np.abs(X - flips.astype(X.dtype)).reshape(-1, d)
        n_pairs = -(-n_noise // 2)
        steps = standard_normal((n_pairs * n, d), int(rng.integers(2**63)), dtype=X.dtype)
        steps = steps @ self.factor if np.ndim(self.factor) else self.factor * steps
        steps = (X.dtype.type(self.level) * steps).reshape(n_pairs, n, d)
        return np.concatenate([X + steps, X - steps])[:n_noise].reshape(-1, d)

    def adapted(self, loss):
        """The noise of the next step, after a step with the given loss."""
        if self.n_adaptations_left == 0:
            return self
        level = self.level
        if loss < 0.5 * CHANCE:
            level = level / 2
        elif abs(loss - CHANCE) < 0.1 * CHANCE:
            level = min(1.2 * level, self.greatest_level)
        return replace(self, level=level, n_adaptations_left=self.n_adaptations_left - 1)


class ConditionalNoiseContrastiveEstimation(Objective):
    """Tells each data row x from noise y made from that row, by their densities' ratio.

    ::

        J = 2 E_x E_{y|x}[softplus(log p̃(y) − log p̃(x))]      (Ceylan & Gutmann, ICML 2018).

    The noise is symmetric, p(y|x) = p(x|y), so that it cancels from the ratio as log Z does:
    nothing but the energy is needed, and log Z has to be estimated afterwards. Consistent for every
    level of noise; as it falls to 0 the criterion becomes score matching (in the metric of L).

    Real data (energies with a score): y = x ± ε L z, z ~ N(0, I), in pairs. Isotropic noise fails
    on correlated data: it leaves the data at once in the directions in which they hardly vary, and
    an ε that is small enough there has little to say of the others. Noise of the data's shape,
    LLᵀ = their covariance, treats all directions alike. Binary data: y flips each bit of x with
    probability ε.

    Parameters
    ----------
    n_noise : int, default=10
        κ, noise rows a data row.
    noise_level : float or "adapt", default="adapt"
        ε: in standard deviations of the data, or the probability of a flip (then below 1). "adapt"
        starts at 1/√d, or at one flip a row, 1/d. After each of the first `n_adaptation_steps`
        steps it is halved where the loss is below log 2 (too easy) and raised by a fifth where the
        loss is within a tenth of 2 log 2 (chance), but never above the start; then it is frozen,
        and the criterion with it.
    noise_shape : {"covariance", "isotropic"}, default="covariance"
        L of real data: LLᵀ = Σ, the covariance of the training data (of the first chunk in a
        stream), or (tr Σ/d) I.
    n_adaptation_steps : int, default=200
        Steps that may change an adapted ε.

    Notes
    -----
    Why not above the start: rows of N(μ, Σ) and their noise have a log-ratio of mean ½ε²d and
    variance about ε²d, so that 1/√d gives the loss 1.16, between log 2 and 2 log 2. No other
    density with this covariance is harder to tell from its noise while ε is small: the mean is then
    ½ε² tr(LᵀJL) with J the density's Fisher information on location, J ⪰ Σ⁻¹. A loss near 2 log 2
    therefore means that the model has not learned yet, and wider noise would soon be too easy.

    References
    ----------
    Ceylan, Gutmann, "Conditional noise-contrastive estimation of unnormalised models", ICML 2018.

    Examples
    --------
    >>> from sklvm.objectives import ConditionalNoiseContrastiveEstimation
    >>> ConditionalNoiseContrastiveEstimation(noise_level=0.1)
    ConditionalNoiseContrastiveEstimation(noise_level=0.1)
    """

    requires = (Marginal,)
    _state_ignores = ("n_noise",)
    _parameter_constraints = {
        "n_noise": [Interval(Integral, 1, None, closed="left")],
        "noise_level": [StrOptions({"adapt"}), Interval(Real, 0, None, closed="neither")],
        "noise_shape": [StrOptions({"covariance", "isotropic"})],
        "n_adaptation_steps": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_noise=10,
        noise_level="adapt",
        noise_shape="covariance",
        n_adaptation_steps=200,
    ):
        self.n_noise = n_noise
        self.noise_level = noise_level
        self.noise_shape = noise_shape
        self.n_adaptation_steps = n_adaptation_steps

    def init(self, energy, theta, X, counts, rng):
        is_real = isinstance(energy, Score)
        if not is_real and self.noise_level != "adapt" and self.noise_level >= 1:
            raise ValueError(
                f"noise_level is a probability of flips where data are binary: it must be in "
                f"(0, 1), got {self.noise_level}."
            )
        d = X.shape[1] - getattr(energy, "n_inputs", 0)
        adapts = self.noise_level == "adapt"
        start = (1 / math.sqrt(d) if is_real else 1 / d) if adapts else float(self.noise_level)
        return ConditionalNoise(
            level=start,
            greatest_level=start,
            factor=self._factor(X, counts, free_entries(energy)) if is_real else None,
            n_adaptations_left=self.n_adaptation_steps if adapts else 0,
        )

    def step(self, energy, theta, X, weights, state, rng):
        n = len(X)
        noise = state.draw(X, self.n_noise, rng, free_entries(energy))
        energies, pullback = energy.evaluate(theta.energy, np.vstack([X, noise]))
        excess = energies[:n] - energies[n:].reshape(self.n_noise, n)
        scaled = 2 * weights / self.n_noise
        value = float(np.sum(scaled * softplus(excess)))
        slope = scaled * sigmoid(excess)
        gradient = pullback(np.concatenate([slope.sum(axis=0), -slope.ravel()]))
        return value, theta.like(gradient), state.adapted(value)

    def _factor(self, X, counts, free):
        """L, of X's dtype: the root of Σ, for a conditional energy of that of y given x."""
        density = GaussianDensity.fit(X, counts)
        if free is not None:
            directions = density.directions.astype(np.float64)
            precision = ((directions / density.variances) @ directions.T)[np.ix_(free, free)]
            density = GaussianDensity(np.zeros(len(precision)), np.linalg.inv(precision))
        if self.noise_shape == "isotropic":
            return X.dtype.type(math.sqrt(density.variances.mean()))
        # The symmetric root does not depend on the signs that eigenvectors come with.
        root = (density.directions * density.scales) @ density.directions.T
        if free is None:
            return root
        factor = np.zeros((len(free), len(free)), dtype=X.dtype)
        factor[np.ix_(free, free)] = root
        return factor
