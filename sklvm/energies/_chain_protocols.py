"""Capabilities for Markov chains, and for a path of temperatures."""

from typing import Protocol, runtime_checkable

__all__ = ["ExpectedVisible", "Gibbs", "Tempered"]


@runtime_checkable
class Gibbs(Protocol):
    """Chains that draw some units given all the others: in blocks, by sites, or by colours."""

    def start(self, theta, X, seed):
        """A ``ChainState`` at the rows of X.

        The blocks of the model come after X. Latent units that a sweep draws before it reads them
        may have any value.
        """

    def sweep(self, theta, state, *, free=None, tempering=None):
        """The state after one sweep over all units, and floats by name that describe the sweep.

        Parameters
        ----------
        theta : ndarray
        state : ChainState
            Its cache may be that of θ before a step of training: the first draws then lag behind by
            that step.
        free : ndarray of bool, tuple, default=None
            The visible units that may move, of shape (d,) or (n_chains, d), or a tuple with a mask
            or None for each block. The others keep their value, and the chains sample p(free units
            | the others). None: all move.
        tempering : tuple, default=None
            (θ₀, β): the sweep leaves p_β of the path from θ₀ to θ unchanged, see ``Tempered``; the
            cache is still that of θ.

        Returns
        -------
        state : ChainState
        info : dict of str to float
        """

    def expected_blocks(self, theta, state):
        """The blocks, one group of latent units by its means given the others where that is known.

        The mean of the joint gradient over chains has less noise at them than at the states. At
        the θ of the last sweep they cost no product.
        """


@runtime_checkable
class ExpectedVisible(Gibbs, Protocol):
    """Chains know the mean of the visible units given those from which they were drawn."""

    def expected_visible(self, theta, state):
        """E[x | the other blocks of a ``ChainState``], shape (n_chains, d)."""


@runtime_checkable
class Tempered(Protocol):
    """A path of distributions of the same family leads from a tractable one to the model.

    At its start θ₀ the units are independent. Then held units change nothing but the normaliser:
    draws of the free ones given the others are draws of them alone.
    """

    def tempered_start(self, X, sample_weight=None):
        """θ₀ of the tractable end, fitted to X; a row of weight 2 is the row twice."""

    def temper(self, theta_0, theta, beta):
        """The parameters at inverse temperature β: θ₀ at 0, θ at 1."""

    def start_log_partition(self, theta_0, X=None, free=None):
        """log Z(θ₀), in nats.

        With the mask `free`, of shape (d,) or (n, d), it is the sum or integral over the free
        entries, the others held at the rows of X: of shape (n,), float64.
        """

    def sample_start(self, theta_0, n_samples, seed):
        """Independent draws from p(x; θ₀)."""

    def tempered_energies(self, theta_0, theta, betas, state):
        """The energy of a ``ChainState`` at each inverse temperature, shape (len(betas), n).

        It is that of all the blocks which a sweep looks at: the marginal energy where hidden units
        are drawn anew, the joint one elsewhere.
        """
