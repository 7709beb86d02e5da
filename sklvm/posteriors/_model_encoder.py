"""The variational posterior that an energy brings along, as an encoder."""

from sklvm.posteriors._discrete_encoder import DiscretePosterior

__all__ = ["ModelEncoder"]


class ModelEncoder:
    """q(z_k = 1|x; θ) = s(u_k(x; θ)) of an energy that holds the parameters of q; its φ is θ.

    Parameters
    ----------
    energy : energy
        With the ``VariationalPosterior`` capability.

    Attributes
    ----------
    layout : ParameterLayout
        The energy's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BinaryFactorEnergy
    >>> from sklvm.posteriors import ModelEncoder
    >>> energy, X = BinaryFactorEnergy(n_features=3, n_components=2), np.eye(3)
    >>> theta = energy.init_parameters(X, np.random.default_rng(0))
    >>> ModelEncoder(energy).encode(theta, X).mean.shape
    (3, 2)
    """

    def __init__(self, energy):
        self._energy = energy
        self.n_components, self.layout = energy.n_components, energy.layout

    def init_parameters(self, X, rng, sample_weight=None):
        """The energy's start."""
        return self._energy.init_parameters(X, rng)

    def encode(self, theta, X):
        """The ``DiscretePosterior`` of the rows of X."""
        logits, logits_pullback = self._energy.encoder_logits(theta, X)

        def pullback(logits_bar, out):
            out[:] = logits_pullback(logits_bar)

        return DiscretePosterior(logits, pullback=pullback)
