"""The posterior of an energy that is linear in its latent variables, as an encoder."""

import numpy as np

from sklvm.energies import LatentStates
from sklvm.posteriors._discrete_encoder import DiscretePosterior

__all__ = ["ExactEncoder"]


class ExactEncoder:
    """p(z|x; θ) ∝ exp(uᵀz), u(x; θ) of an energy E(x, z) = E(x, 0) − uᵀz; its φ is θ.

    Parameters
    ----------
    energy : energy
        With the ``ExactPosterior`` capability.

    Attributes
    ----------
    layout : ParameterLayout
        The energy's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy
    >>> from sklvm.posteriors import ExactEncoder
    >>> energy, X = BernoulliRBMEnergy(n_features=3, n_components=2), np.eye(3)
    >>> theta = energy.init_parameters(X, np.random.default_rng(0))
    >>> posterior = ExactEncoder(energy).encode(theta, X)
    >>> bool(np.allclose(posterior.mean, energy.posterior(theta, X)))
    True
    """

    def __init__(self, energy):
        self._energy = energy
        self.n_components, self.layout = energy.n_components, energy.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """The energy's start."""
        return self._energy.init_parameters(X, rng, sample_weight)

    def encode(self, theta, X):
        """The ``DiscretePosterior`` of the rows of X."""
        energy = self._energy
        states = energy.latent_states() if isinstance(energy, LatentStates) else None

        def pullback(logits_bar, out):
            # E(x, 0) − E(x, z) = uᵀz, whatever numbers z are.
            ones = np.ones(len(X), dtype=X.dtype)
            at_zero, at_cotangent = (
                energy.evaluate_joint(theta, X, Z)[1](ones)
                for Z in (np.zeros_like(logits_bar), logits_bar)
            )
            np.subtract(at_zero, at_cotangent, out=out)

        return DiscretePosterior(energy.posterior_logits(theta, X), states, pullback)
