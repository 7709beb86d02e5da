"""Maximum likelihood with log Z by importance sampling."""

from numbers import Integral

import numpy as np
from scipy.special import logsumexp

from sklvm.densities import GaussianDensity, IndependentBernoulliDensity
from sklvm.energies import Marginal, Score
from sklvm.objectives import Objective


class ImportanceSampledLikelihood(Objective):
    """J(θ) = E_data[E(x; θ)] + log (1/m) Σ_j exp(−E(y_j; θ)) / q(y_j),  y_j ~ q.

    Monte Carlo maximum likelihood (Geyer and Thompson, JRSS B 54, 1992) with fresh draws
    for every batch. The sum estimates Z without bias, its logarithm is too low by about half the
    variance of the sum's relative error. That variance grows exponentially with the number of
    features: a criterion for few of them.

    Parameters
    ----------
    n_draws : int, default=1000
        m, draws of the reference density q for a batch. q is fitted to the training data: a
        Gaussian for energies over real data, which have a score, else independent units.
    """

    requires = (Marginal,)

    def __init__(self, n_draws=1000):
        self.n_draws = n_draws

    def validate(self):
        if not (isinstance(self.n_draws, Integral) and self.n_draws > 0):
            raise ValueError(f"n_draws must be an integer of at least 1, got {self.n_draws!r}.")
        return self

    def init(self, energy, theta, X, counts, rng):
        family = GaussianDensity if isinstance(energy, Score) else IndependentBernoulliDensity
        return family.fit(X, counts)

    def step(self, energy, theta, X, weights, state, rng):
        draws = state.sample(self.n_draws, rng).astype(X.dtype, copy=False)
        energies, pullback = energy.evaluate(theta.energy, np.vstack([X, draws]))
        log_ratios = -energies[len(X) :] - state.log_density(draws)
        log_sum = logsumexp(log_ratios)
        value = weights @ energies[: len(X)] + log_sum - np.log(self.n_draws)
        # ∂ log Σ exp r_j = Σ_j softmax(r)_j ∂r_j, and r_j = −E(y_j) − …
        slopes = np.concatenate([weights, -np.exp(log_ratios - log_sum)]).astype(X.dtype)
        return float(value), theta.like(pullback(slopes)), state
