"""Paths of distributions from one with known log Z (β = 0) to the model (β = 1).

A path makes particles at draws from its start or at given rows, moves them by a transition that
leaves p_β invariant, and tells how much log p̃_β(x) changes with β. Annealed importance sampling
needs no more, in either direction.
"""

from dataclasses import dataclass

import numpy as np

from sklvm.densities import GaussianDensity
from sklvm.energies import BlockGibbs as BlockGibbsCapability
from sklvm.energies import Score, SharedInputs, Tempered
from sklvm.samplers import BlockGibbs, GibbsState, HamiltonianMonteCarlo, HamiltonianState

__all__ = [
    "GeometricPath",
    "SharedInputsPath",
    "TemperedPath",
    "annealing_path",
    "can_anneal",
    "fit_reference",
]


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
    is_tempered = isinstance(energy, Tempered) and isinstance(energy, BlockGibbsCapability)
    return is_tempered or isinstance(energy, SharedInputs | Score)


def annealing_path(energy, theta, reference, *, n_leapfrog_steps=5):
    """The path that the energy's capabilities allow, from `reference` to p(·; θ)."""
    if isinstance(energy, SharedInputs):
        return SharedInputsPath(energy, theta, reference)
    if isinstance(energy, Tempered) and isinstance(energy, BlockGibbsCapability):
        return TemperedPath(energy, theta, reference)
    if isinstance(energy, Score):
        return GeometricPath(energy, theta, reference, n_leapfrog_steps)
    raise ValueError(
        f"{type(energy).__name__} has neither the Tempered and BlockGibbs nor the Score "
        "capability: there is no path to anneal along."
    )


class TemperedPath:
    """Parameters θ_β of one family, moved by block Gibbs sampling."""

    tunes_steps = False

    def __init__(self, energy, theta, theta_0):
        self._energy, self._theta, self._theta_0 = energy, theta, theta_0
        self._gibbs = BlockGibbs(energy)
        self.log_partition_0 = energy.start_log_partition(theta_0)

    def start(self, n_chains, rng):
        """Particles at independent draws from p_0."""
        draws = self._energy.sample_start(self._theta_0, n_chains, int(rng.integers(2**63)))
        return self.at(draws, rng)

    def at(self, X, rng):
        """Particles at the rows of X."""
        return self._gibbs.init(X, rng.integers(2**63))

    def log_density_change(self, particles, beta_from, beta_to):
        before, after = (
            self._energy.evaluate(self._temper(beta), particles.visible)[0]
            for beta in (beta_from, beta_to)
        )
        return (before - after).astype(np.float64)

    def move(self, particles, beta, step_size, rng):
        return self._gibbs.step(self._temper(beta), particles)

    def positions(self, particles):
        return particles.visible

    def _temper(self, beta):
        beta = self._theta.dtype.type(beta)
        return self._energy.temper(self._theta_0, self._theta, beta)


@dataclass
class _ParticlesWithInputs(GibbsState):
    """Chains, and what their visible units give to the hidden ones at β = 1."""

    inputs: np.ndarray | None = None


class SharedInputsPath(TemperedPath):
    """The same path where the inputs of hidden units are computed once for each position."""

    def at(self, X, rng):
        return self._with_inputs(X, int(rng.integers(2**63)), 0)

    def log_density_change(self, particles, beta_from, beta_to):
        betas = np.array([beta_from, beta_to], dtype=self._theta.dtype)
        before, after = self._energy.tempered_energies(
            self._theta_0, self._theta, betas, particles.visible, particles.inputs
        )
        return (before - after).astype(np.float64)

    def move(self, particles, beta, step_size, rng):
        visible = self._energy.tempered_sweep(
            self._theta_0,
            self._theta,
            self._theta.dtype.type(beta),
            particles.inputs,
            particles.seed,
            particles.sweep,
        )
        return self._with_inputs(visible, particles.seed, particles.sweep + 1)

    def _with_inputs(self, visible, seed, sweep):
        inputs = self._energy.tempered_inputs(self._theta, visible)
        return _ParticlesWithInputs(visible, seed, sweep, inputs=inputs)


@dataclass
class _GeometricParticles:
    """Chains in the reference's principal axes, with both ends' log-densities and scores."""

    position: np.ndarray
    ends: tuple
    acceptance: float = float("nan")


class GeometricPath:
    """log p̃_β = (1 − β) log p_0 + β log p̃, moved by Hamiltonian Monte Carlo.

    Chains live in the principal axes of the Gaussian p_0, y = Uᵀ(x − μ). There the curvature of the
    path is about (1 − β)/λ_j + β·curvature(θ) along axis j, and steps are scaled by its inverse
    root: a path between a correlated Gaussian and a model of other scales stays well conditioned
    all along.
    """

    tunes_steps = True
    log_partition_0 = 0.0

    def __init__(self, energy, theta, reference, n_leapfrog_steps=5):
        self._energy, self._theta, self._reference = energy, theta, reference
        self._sampler = HamiltonianMonteCarlo(n_leapfrog_steps)
        self._curvature = energy.curvature(theta)
        self._reference_curvature = (1 / reference.variances).astype(theta.dtype)

    def start(self, n_chains, rng):
        shape = (n_chains, self._reference.n_features)
        normal = rng.standard_normal(shape, dtype=self._theta.dtype)
        position = normal * self._reference.scales
        return _GeometricParticles(position, self._evaluate_ends(position))

    def at(self, X, rng):
        """Particles at the rows of X."""
        position = (X - self._reference.location) @ self._reference.directions
        return _GeometricParticles(position, self._evaluate_ends(position))

    def log_density_change(self, particles, beta_from, beta_to):
        reference, _, model, _ = particles.ends
        return (beta_to - beta_from) * (model.astype(np.float64) - reference)

    def move(self, particles, beta, step_size, rng):
        evaluated = {}

        def target(position):
            # The sampler's last call is at the proposal.
            evaluated["ends"] = self._evaluate_ends(position)
            return self._mix(evaluated["ends"], beta)

        before = HamiltonianState(particles.position, *self._mix(particles.ends, beta))
        curvature = (1 - beta) * self._reference_curvature + beta * self._curvature
        after = self._sampler.step(target, before, step_size, rng, 1 / np.sqrt(curvature))
        ends = tuple(
            np.where(after.accepted if new.ndim == 1 else after.accepted[:, np.newaxis], new, old)
            for new, old in zip(evaluated["ends"], particles.ends, strict=True)
        )
        return _GeometricParticles(after.position, ends, after.acceptance)

    def positions(self, particles):
        reference = self._reference
        return reference.location + particles.position @ reference.directions.T

    def _evaluate_ends(self, position):
        """(log p_0, its gradient, log p̃, its gradient), in the principal axes."""
        reference = self._reference
        gradient = -position * self._reference_curvature
        value = reference.log_normalizer + 0.5 * np.einsum("ij,ij->i", position, gradient)
        X = reference.location + position @ reference.directions.T
        energy, psi = self._energy.energy_and_score(self._theta, X)
        return value, gradient, -energy, psi @ reference.directions

    @staticmethod
    def _mix(ends, beta):
        value_0, gradient_0, value_1, gradient_1 = ends
        dtype = gradient_0.dtype.type
        start, end = dtype(1 - beta), dtype(beta)
        return start * value_0 + end * value_1, start * gradient_0 + end * gradient_1
