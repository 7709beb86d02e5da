"""What a variational posterior is: the distributions q(z|x) of rows, and what makes them of x."""

from typing import Protocol, runtime_checkable

__all__ = ["Encoder", "Posterior"]


class Posterior(Protocol):
    """q(z|x) for each of n rows, a family of distributions that an array of outputs parametrises.

    Values come with pullbacks. A pullback returns the cotangent of ``outputs``; cotangents of
    several values add up, and ``pullback`` takes their sum to the parameters that made the outputs.

    Draws are a function of noise: the same noise gives the same draws.

    Attributes
    ----------
    outputs : ndarray of shape (n, m)
        What parametrises the distributions.
    mean : ndarray of shape (n, K)
        E[z|x].
    is_reparametrized : bool
        Whether draws are differentiable in the outputs; ``pull_draw`` and ``log_density_slope``
        exist then.
    """

    is_reparametrized: bool

    def noise(self, n_draws, rng):
        """Noise for `n_draws` draws a row, of which the first axis is ``n_draws``."""

    def draw(self, noise):
        """z, shape (S, n, K)."""

    def log_density(self, Z, noise=None):
        """log q(z|x) in nats, shape (S, n), for Z of shape (S, n, K) or, for all rows, (S, 1, K).

        Where Z is ``draw(noise)``, the noise may spare work.
        """

    def pull_log_density(self, Z, w, noise=None):
        """Σ_s w_s ∂ log q(z_s|x)/∂outputs, z held fixed: the score function. Shape (n, m)."""

    def entropy(self):
        """−E[log q(z|x)] in nats, shape (n,)."""

    def pull_entropy(self, w):
        """w ∂entropy/∂outputs, shape (n, m)."""

    def pullback(self, outputs_bar, out):
        """Write the gradient of the parameters that made the outputs to the vector `out`."""


@runtime_checkable
class Encoder(Protocol):
    """x ↦ q(z|x; φ).

    Attributes
    ----------
    n_components : int
        Width K of z.
    layout : ParameterLayout
        Of φ.
    """

    n_components: int

    def init_parameters(self, X, rng, sample_weight=None):
        """A start for φ, of X's dtype."""

    def encode(self, phi, X):
        """The ``Posterior`` of the rows of X."""
