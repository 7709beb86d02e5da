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
    have ``sample_with_log_density(n_samples, rng)`` as well, and those that can write draws where
    they are told to ``draw_into(out, rng)``, which returns the log-densities.

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


def sample_with_log_density(density, n_samples, rng, out=None):
    """Draws and their log-densities, from one pass where the density has that.

    Parameters
    ----------
    density : Density
    n_samples : int
    rng : Generator
    out : ndarray of shape (n_samples, d), default=None
        Where the draws are written, in its dtype; None: to a new array.

    Returns
    -------
    X : ndarray of shape (n_samples, d)
    log_density : ndarray of shape (n_samples,)
        In nats.
    """
    if out is not None and hasattr(density, "draw_into"):
        return out, density.draw_into(out, rng)
    if hasattr(density, "sample_with_log_density"):
        X, log_density = density.sample_with_log_density(n_samples, rng)
    else:
        X = density.sample(n_samples, rng)
        log_density = density.log_density(X)
    if out is None:
        return X, log_density
    out[...] = X
    return out, log_density
