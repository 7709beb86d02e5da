"""What an energy may be able to do for Markov chains, and along the path of temperatures."""

from typing import Protocol, runtime_checkable

__all__ = ["BlockGibbs", "SharedInputs", "Tempered"]


@runtime_checkable
class BlockGibbs(Protocol):
    """Visible units are independent given the hidden ones, and the other way round.

    ``free`` is a mask of the units that may move (None: all); the others keep their entry of
    ``current``. Draws are those of the counter-based generator at (row, unit, sweep), keyed by
    ``seed``.
    """

    def sample_hidden(self, theta, X, seed, sweep=0, *, free=None, current=None):
        """A draw from p(z | x), shape (n, n_components)."""

    def sample_visible(self, theta, Z, seed, sweep=0, *, free=None, current=None):
        """A draw from p(x | z), shape (n, n_features)."""


@runtime_checkable
class Tempered(Protocol):
    """A path of distributions of the same family leads from a tractable one to the model."""

    def tempered_start(self, X, sample_weight=None):
        """θ₀ of the tractable end, fitted to X; a row of weight 2 is the row twice."""

    def temper(self, theta_0, theta, beta):
        """The parameters at inverse temperature β: θ₀ at 0, θ at 1."""

    def start_log_partition(self, theta_0):
        """log Z(θ₀), in nats."""

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""


@runtime_checkable
class SharedInputs(Tempered, Protocol):
    """One product of the data with θ serves all temperatures of the path.

    It is the larger part of the work: with it, a sweep and the energies before and after it cost
    two products in all.
    """

    def tempered_inputs(self, theta, X):
        """What hidden units get from the visible ones at β = 1, biases apart."""

    def tempered_energies(self, theta_0, theta, betas, X, inputs):
        """E(x) at each inverse temperature, shape (len(betas), n)."""

    def tempered_sweep(self, theta_0, theta, beta, inputs, seed, sweep=0):
        """A draw from p_β(z | x) and then one from p_β(x | z), shape (n, n_features)."""
