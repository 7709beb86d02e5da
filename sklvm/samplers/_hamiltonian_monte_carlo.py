"""Hamiltonian Monte Carlo, many chains at a time."""

from dataclasses import dataclass

import numpy as np

from sklvm.kernels import standard_normal

__all__ = ["HamiltonianMonteCarlo", "HamiltonianState"]


@dataclass(frozen=True)
class HamiltonianState:
    """Chains, one for each row, and the values of the target there.

    Attributes
    ----------
    position : ndarray of shape (n, d)
    log_density : ndarray of shape (n,)
    gradient : ndarray of shape (n, d)
    extras : tuple of ndarray
        What else the target returned, with one row for each chain.
    """

    position: np.ndarray
    log_density: np.ndarray
    gradient: np.ndarray
    extras: tuple = ()


class HamiltonianMonteCarlo:
    """Leapfrog trajectories with a Metropolis test (Neal, "MCMC using Hamiltonian dynamics", 2011).

    A transition leaves the target exactly invariant. Each trajectory's step size is drawn uniformly
    within ±20% of the given one, so that no chain is caught in a period.

    Parameters
    ----------
    n_leapfrog_steps : int, default=5

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.samplers import HamiltonianMonteCarlo
    >>> standard_normal = lambda x: (-0.5 * (x * x).sum(axis=1), -x)
    >>> rng = np.random.default_rng(0)
    >>> sampler = HamiltonianMonteCarlo(n_leapfrog_steps=3)
    >>> state = sampler.init(standard_normal, np.zeros((500, 2)))
    >>> for _ in range(20):
    ...     state, info = sampler.step(standard_normal, state, 0.8, rng)
    >>> bool(0.8 < state.position.var() < 1.2)
    True
    """

    def __init__(self, n_leapfrog_steps=5):
        self.n_leapfrog_steps = n_leapfrog_steps

    def init(self, target, position):
        """The state of chains at `position`, shape (n, d).

        `target` maps positions to log-densities (n,), gradients (n, d), and any number of other
        arrays with one row for each chain, which the state keeps. Log-densities may lack a
        constant.
        """
        log_density, gradient, *extras = target(position)
        return HamiltonianState(position, log_density, gradient, tuple(extras))

    def step(self, target, state, step_size, rng, scales=1.0, free=None):
        """One transition of every chain.

        Parameters
        ----------
        target : callable
            As in ``init``; may differ from the last call's only if the state was made anew.
        state : HamiltonianState
        step_size : float
        rng : Generator
        scales : ndarray of shape (d,) or float, default=1.0
            Lengths of the directions: the inverse roots of a diagonal mass matrix.
        free : ndarray of bool of shape (d,) or (n, d), default=None
            The coordinates that may move: the target is the conditional density of those, given the
            others. None: all move.

        Returns
        -------
        state : HamiltonianState
        info : dict
            ``accepted``, which chains moved; ``acceptance_rate``, the mean of their acceptance
            probabilities.
        """
        dtype = state.position.dtype
        jittered = step_size * rng.uniform(0.8, 1.2)
        lengths = np.asarray(jittered * np.asarray(scales), dtype=dtype)
        if free is not None:
            lengths = np.where(free, lengths, dtype.type(0))
        seed = int(rng.integers(2**63))
        momentum = standard_normal(state.position.shape, seed, dtype=dtype)
        start_energy = 0.5 * np.einsum("ij,ij->i", momentum, momentum) - state.log_density

        position, gradient = state.position.copy(), state.gradient
        # A trajectory that leaves the finite numbers is rejected, so its overflow is of no concern.
        with np.errstate(over="ignore", invalid="ignore"):
            momentum += 0.5 * lengths * gradient
            for i in range(self.n_leapfrog_steps):
                position += lengths * momentum
                log_density, gradient, *extras = target(position)
                is_last = i == self.n_leapfrog_steps - 1
                momentum += (0.5 if is_last else 1.0) * lengths * gradient
            end_energy = 0.5 * np.einsum("ij,ij->i", momentum, momentum) - log_density
            log_ratio = start_energy - end_energy
        log_ratio = np.where(np.isfinite(log_ratio), log_ratio, -np.inf)

        accepted = np.log(rng.random(len(position))) < log_ratio
        state = HamiltonianState(
            _chosen(accepted, position, state.position),
            _chosen(accepted, log_density, state.log_density),
            _chosen(accepted, gradient, state.gradient),
            tuple(_chosen(accepted, *pair) for pair in zip(extras, state.extras, strict=True)),
        )
        acceptance_rate = float(np.mean(np.exp(np.minimum(log_ratio, 0))))
        return state, {"accepted": accepted, "acceptance_rate": acceptance_rate}


def _chosen(accepted, new, old):
    """Rows of `new` where a chain moved, and of `old` elsewhere."""
    return np.where(accepted if new.ndim == 1 else accepted[:, np.newaxis], new, old)
