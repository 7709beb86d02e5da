"""Base of the criteria that learn an encoder q(z|x; φ) together with the energy's θ."""

import numpy as np
from sklearn.base import clone

from sklvm.energies import Decoder
from sklvm.objectives._base import Objective
from sklvm.posteriors import GaussianEncoder

__all__ = ["EncoderObjective", "evaluate_draws"]

# Of an encoder that nobody has given.
DEFAULT_LAYERS = (64,)


class EncoderObjective(Objective):
    """A criterion on a ``Decoder``, which learns an encoder's φ with θ.

    The encoder is not a parameter of the criterion: it belongs to the model. An estimator passes
    its own by ``with_encoder``; the default is a perceptron with 64 hidden units.

    Attributes
    ----------
    takes_missing : bool
        Whether entries of X may be missing (NaN), where decoder and encoder allow it.
    """

    requires = (Decoder,)
    takes_missing = True
    _encoder = None

    def with_encoder(self, encoder):
        """A copy of this criterion that learns the given encoder."""
        copy = clone(self)
        copy._encoder = encoder
        return copy

    def encoder(self, energy):
        """The encoder whose φ is learned."""
        if self._encoder is not None:
            return self._encoder
        return self._default_encoder(energy)

    def own_layout(self, energy):
        """The encoder's φ."""
        return self.encoder(energy).layout.prefixed("encoder_")

    def init(self, energy, theta, X, counts, rng):
        start = self.encoder(energy).init_parameters(X, rng, counts)
        theta.own_part("encoder_")[:] = start

    def _default_encoder(self, energy):
        return GaussianEncoder(energy.n_features, energy.n_components, DEFAULT_LAYERS)

    def _posterior(self, energy, theta, X):
        return self.encoder(energy).encode(theta.own_part("encoder_"), X)


def evaluate_draws(energy, theta, X, Z):
    """−log p(x_i|z_si) of a ``Decoder``, and its pullback.

    Parameters
    ----------
    energy : Decoder
    theta : ndarray
    X : ndarray of shape (n, d)
    Z : ndarray of shape (S, n, K)

    Returns
    -------
    errors : ndarray of shape (S, n)
    pullback : callable
        ``pullback(w, out)`` writes θ's gradient of Σ w_si error_si to the vector `out` and returns
        the cotangent of Z.
    """
    n_draws, n, K = Z.shape
    rows = np.tile(X, (n_draws, 1)) if n_draws > 1 else X
    errors, decoder_pullback = energy.evaluate_given(theta, rows, Z.reshape(-1, K))

    def pullback(w, out):
        return decoder_pullback(w.ravel(), out).reshape(Z.shape)

    return errors.reshape(n_draws, n), pullback
