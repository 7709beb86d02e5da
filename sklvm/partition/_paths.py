"""Paths of distributions from one with known log Z (β = 0) to the model (β = 1).

A path starts chains at draws from its beginning or at given rows, moves them by a transition that
leaves p_β invariant, and computes how much log p̃_β changes with β. Annealed importance sampling
needs no more, in either direction. Clamped entries keep their values along the whole path: its ends
are then the two conditional distributions of the free entries, and log Z normalises over these.
"""

from dataclasses import replace

import numpy as np

from sklvm.densities import GaussianDensity
from sklvm.energies import ChainState, Gibbs, Score, Tempered, TwoLayers, has_capabilities
from sklvm.samplers import HamiltonianMonteCarlo, HamiltonianState

__all__ = ["GeometricPath", "TemperedPath", "annealing_path", "can_anneal", "fit_reference"]


def fit_reference(energy, X, sample_weight=None):
    """The tractable end of the path, fitted to data.

    Returns
    -------
    reference : ndarray or GaussianDensity
        θ₀ for a tempered energy, a Gaussian for one with a score.
    """
    if isinstance(energy, Tempered):
        return energy.tempered_start(X, sample_weight)
    return GaussianDensity.fit(X, sample_weight)


def can_anneal(energy):
    """Whether there is a path from a reference to the energy's density."""
    return isinstance(energy, Score) or (isinstance(energy, Tempered) and isinstance(energy, Gibbs))


def annealing_path(energy, theta, reference, *, n_leapfrog_steps=5, free=None, current=None):
    """The path that the energy's capabilities allow, from `reference` to p(·; θ).

    Parameters
    ----------
    energy : energy
        Tempered with Gibbs sampling, or with a score.
    theta : ndarray
    reference : ndarray or GaussianDensity
        From ``fit_reference``.
    n_leapfrog_steps : int, default=5
        Of Hamiltonian Monte Carlo.
    free : ndarray of bool of shape (d,) or (n, d), default=None
        The entries that may move. None: all.
    current : ndarray of shape (n, d), default=None
        Rows that hold the clamped entries, needed with `free`: chain i has those of row i modulo n.

    Returns
    -------
    path : TemperedPath or GeometricPath

    Raises
    ------
    ValueError
        Where there is no path.
    """
    clamped = None if free is None else _Clamped(free, current)
    if has_capabilities(energy, Tempered, Gibbs):
        return TemperedPath(energy, theta, reference, clamped)
    if isinstance(energy, Score):
        return GeometricPath(energy, theta, reference, n_leapfrog_steps, clamped)
    raise ValueError(
        f"{type(energy).__name__} has neither the Tempered and Gibbs nor the Score capability: "
        "there is no path to anneal along."
    )


class _Clamped:
    """The entries that may move, and the values of the others."""

    def __init__(self, free, current):
        self._free, self._current = free, current

    def free(self, n_chains):
        """The mask of `n_chains` chains."""
        return self._free if self._free.ndim == 1 else self._free[self._rows(n_chains)]

    def hold(self, X):
        """X with the clamped entries in place."""
        return np.where(self.free(len(X)), X, self._current[self._rows(len(X))])

    def log_partition(self, function):
        """`function` of the rows and the mask: a float for a single row, else one for each."""
        values = function(self._current, self._free)
        return float(values[0]) if len(values) == 1 else values

    def _rows(self, n_chains):
        return np.arange(n_chains) % len(self._current)


class TemperedPath:
    """Parameters θ_β of one family, moved by Gibbs sampling.

    Attributes
    ----------
    log_partition_0 : float or ndarray of shape (n,)
        log Z at β = 0, in nats; one for each row where several hold clamped entries.
    """

    tunes_steps = False

    def __init__(self, energy, theta, theta_0, clamped=None):
        self._energy, self._theta, self._theta_0 = energy, theta, theta_0
        self._clamped = clamped
        if clamped is None:
            self.log_partition_0 = energy.start_log_partition(theta_0)
        else:
            self.log_partition_0 = clamped.log_partition(
                lambda X, free: energy.start_log_partition(theta_0, X, free)
            )

    def start(self, n_chains, rng):
        """Chains at independent draws from p_0."""
        draws = self._energy.sample_start(self._theta_0, n_chains, int(rng.integers(2**63)))
        if self._clamped is not None:
            draws = self._clamped.hold(draws)
        seed = int(rng.integers(2**63))
        if isinstance(self._energy, TwoLayers):
            # Its hidden units are drawn by the first sweep, and the cache is that of θ.
            return self._energy.start(self._theta, draws, seed)
        return replace(self._energy.start(self._theta_0, draws, seed), cache=None)

    def at(self, X, rng):
        """Chains at the rows of X."""
        return self._energy.start(self._theta, X, int(rng.integers(2**63)))

    def log_density_change(self, state, beta_from, beta_to):
        """log p̃ of each chain at `beta_to` minus that at `beta_from`, float64."""
        betas = np.array([beta_from, beta_to], dtype=self._theta.dtype)
        before, after = self._energy.tempered_energies(self._theta_0, self._theta, betas, state)
        return (before - after).astype(np.float64)

    def move(self, state, beta, step_size, rng):
        """The chains after a sweep that leaves p_β invariant, and floats that describe it."""
        free = None if self._clamped is None else self._clamped.free(len(state.visible))
        tempering = None if beta == 1 else (self._theta_0, beta)
        return self._energy.sweep(self._theta, state, free=free, tempering=tempering)

    def positions(self, state):
        """The chains' visible units."""
        return state.visible


class GeometricPath:
    """log p̃_β = (1 − β) log p_0 + β log p̃, moved by Hamiltonian Monte Carlo.

    Chains live in the principal axes of the Gaussian p_0, y = Uᵀ(x − μ). There the curvature of the
    path is about (1 − β)/λ_j + β·curvature(θ) along axis j, and steps are scaled by its inverse
    root: a path between a correlated Gaussian and a model of other scales stays well conditioned
    all along. With clamped entries, p_0 has the same variances and no correlations, and is that of
    the free entries.
    """

    tunes_steps = True
    log_partition_0 = 0.0

    def __init__(self, energy, theta, reference, n_leapfrog_steps=5, clamped=None):
        if clamped is not None:
            reference = reference.independent()
        self._energy, self._theta, self._reference = energy, theta, reference
        self._clamped = clamped
        self._sampler = HamiltonianMonteCarlo(n_leapfrog_steps)
        self._curvature = energy.curvature(theta)
        self._reference_curvature = (1 / reference.variances).astype(theta.dtype)

    def start(self, n_chains, rng):
        """Chains at independent draws from p_0."""
        shape = (n_chains, self._reference.n_features)
        position = rng.standard_normal(shape, dtype=self._theta.dtype) * self._reference.scales
        if self._clamped is not None:
            X = self._clamped.hold(self._positions(position))
            return self.at(X, rng)
        return self._state(position)

    def at(self, X, rng):
        """Chains at the rows of X."""
        return self._state((X - self._reference.location) @ self._reference.directions)

    def log_density_change(self, state, beta_from, beta_to):
        """log p̃ of each chain at `beta_to` minus that at `beta_from`, float64."""
        reference, _, model, _ = state.cache
        return (beta_to - beta_from) * (model.astype(np.float64) - reference)

    def move(self, state, beta, step_size, rng):
        """The chains after a transition that leaves p_β unchanged, and its acceptance rate."""
        curvature = (1 - beta) * self._reference_curvature + beta * self._curvature
        log_density, gradient, *ends = self._mix(state.cache, beta)
        after, info = self._sampler.step(
            lambda position: self._mix(self._evaluate_ends(position), beta),
            HamiltonianState(state.visible, log_density, gradient, tuple(ends)),
            step_size,
            rng,
            1 / np.sqrt(curvature),
            self._free(len(state.visible)),
        )
        return state.moved((after.position,), after.extras), info

    def positions(self, state):
        """The chains' places in the coordinates of the data."""
        return self._positions(state.visible)

    def _positions(self, position):
        return self._reference.location + position @ self._reference.directions.T

    def _state(self, position):
        # Hamiltonian transitions take their random numbers from the path's generator.
        return ChainState((position,), 0, cache=self._evaluate_ends(position))

    def _free(self, n_chains):
        return None if self._clamped is None else self._clamped.free(n_chains)

    def _evaluate_ends(self, position):
        """(log p_0, its gradient, log p̃, its gradient), in the principal axes."""
        reference = self._reference
        gradient = -position * self._reference_curvature
        squares = position * gradient
        if (free := self._free(len(position))) is None:
            value = reference.log_normalizer + 0.5 * squares.sum(axis=1)
        else:
            log_normalizers = -0.5 * np.log(2 * np.pi * reference.variances)
            value = np.where(free, log_normalizers + 0.5 * squares, 0).sum(axis=1)
        energy, psi = self._energy.energy_and_score(self._theta, self._positions(position))
        return value, gradient, -energy, psi @ reference.directions

    @staticmethod
    def _mix(ends, beta):
        """log p̃_β, its gradient, and the ends themselves."""
        value_0, gradient_0, value_1, gradient_1 = ends
        dtype = gradient_0.dtype.type
        start, end = dtype(1 - beta), dtype(beta)
        return start * value_0 + end * value_1, start * gradient_0 + end * gradient_1, *ends
