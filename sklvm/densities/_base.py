"""What a density is, and what becomes one."""

from typing import Protocol, runtime_checkable

__all__ = ["Density", "sample_with_log_density"]


@runtime_checkable
class Density(Protocol):
    """A normalised density p(x) whose parameters are known: it can be evaluated and drawn from.

    Noise of noise-contrastive estimation, the tractable end of an annealing path. Unlike an energy
    it holds its parameters itself.

    Besides, a class has ``fit(X, sample_weight=None)``, a class method that makes a density of the
    rows of X; a weight of 2 is two rows. Those that get the log-densities of their draws for little
    have ``sample_with_log_density(n_samples, rng)`` as well.

    Attributes
    ----------
    n_features : int
        Width d of x.
    """

    n_features: int

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""


def sample_with_log_density(density, n_samples, rng):
    """Draws and their log-densities, from one pass where the density has that.

    Parameters
    ----------
    density : Density
    n_samples : int
    rng : Generator

    Returns
    -------
    X : ndarray of shape (n_samples, d)
    log_density : ndarray of shape (n_samples,)
        In nats.
    """
    if hasattr(density, "sample_with_log_density"):
        return density.sample_with_log_density(n_samples, rng)
    X = density.sample(n_samples, rng)
    return X, density.log_density(X)
