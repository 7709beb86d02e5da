"""The capabilities that an energy may have, each a small protocol.

An energy is E(x; θ) = −log p̃(x; θ), p̃ not normalised. It holds shapes and fixed settings, never
θ; θ is one flat vector whose named views are given by its ``layout``. A class implements only the
capabilities that its mathematics allows, and objectives, samplers and partition functions ask by
``isinstance``. Those of latent variables are in ``_latent_protocols``, those of chains and of log Z
in ``_chain_protocols`` and ``_partition_protocols``.

Rows of X are data points throughout, and a *pullback* is the transposed derivative at the point of
evaluation, so that the forward pass is computed once.

A *conditional* energy has an attribute ``n_inputs``: its rows are [x, y], and the first
``n_inputs`` entries are given. Its density is p(y | x), log Z(x) differs from row to row, and
scores and Laplacians are those in y: the score's entries for x are 0.
"""

from typing import Protocol, runtime_checkable

__all__ = [
    "Centred",
    "DirectionalCurvature",
    "Energy",
    "Laplacian",
    "Marginal",
    "Score",
    "SiteConditionals",
    "has_capabilities",
]


def has_capabilities(energy, *protocols):
    """Whether an object has the methods of all these protocols.

    A hundred times faster than ``isinstance``, for checks in every step of training.
    """
    return all(issubclass(type(energy), protocol) for protocol in protocols)


@runtime_checkable
class Energy(Protocol):
    """What every energy has.

    Attributes
    ----------
    n_features : int
        Width of x.
    layout : ParameterLayout
        Names and shapes of θ.
    """

    n_features: int
    layout: object

    def init_parameters(self, X, rng, sample_weight=None):
        """A start for training on X: a vector θ of X's dtype.

        ``sample_weight`` of shape (n,) says how often each row counts, None once: a row of weight 2
        is the row twice.
        """


@runtime_checkable
class Marginal(Protocol):
    """The marginal energy E(x; θ) can be evaluated."""

    def evaluate(self, theta, X):
        """Energies of shape (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂E(xᵢ)/∂θ."""


@runtime_checkable
class SiteConditionals(Protocol):
    """The distribution of each discrete unit given all the others.

    A row has m units, or sites, of L states each. Energies of binary data have one site a feature
    and L = 2; one-hot rows have one a block of L features.
    """

    def site_logits(self, theta, X):
        """t of shape (n, m, L), and ``pullback(V)`` = Σᵢⱼₗ vᵢⱼₗ ∂tᵢⱼₗ/∂θ.

        p(unit j in state l | all other units) = softmax_l(tⱼₗ): a difference tⱼₗ − tⱼₖ is the
        energy with unit j in state k minus that with it in state l.
        """

    def site_states(self, X):
        """Which state each unit is in: int of shape (n, m).

        Raises ``ValueError`` for data that are no states.
        """


@runtime_checkable
class Score(Protocol):
    """ψ(x) = ∇ₓ log p̃(x) is known (x is continuous)."""

    def score(self, theta, X):
        """ψ of shape (n, d), and ``pullback(V)`` = Σᵢ (∂ψ(xᵢ)/∂θ)ᵀ vᵢ."""

    def energy_and_score(self, theta, X):
        """E of shape (n,) and ψ of shape (n, d), from one forward pass."""

    def curvature(self, theta):
        """The isotropic part of −∇²log p̃, a positive float: scales the steps of a sampler."""


@runtime_checkable
class Laplacian(Score, Protocol):
    """The Laplacian tr ∇ψ(x) = Δ log p̃(x) is known exactly as well."""

    def score_and_laplacian(self, theta, X):
        """ψ (n, d), tr ∇ψ (n,), and ``pullback(V, w)`` = Σᵢ (∂ψ(xᵢ)/∂θ)ᵀ vᵢ + wᵢ ∂tr ∇ψ(xᵢ)/∂θ."""


@runtime_checkable
class DirectionalCurvature(Score, Protocol):
    """Second derivatives vᵀ∇ψ(x) v = vᵀ∇² log p̃(x) v along given directions are known."""

    def score_and_directional_curvature(self, theta, X, directions):
        """ψ (n, d), Σ_m v_miᵀ ∇ψ(xᵢ) v_mi (n,) for directions v of shape (m, n, d), and a pullback.

        ``pullback(V, w)`` = Σᵢ (∂ψ(xᵢ)/∂θ)ᵀ vᵢ + wᵢ ∂(Σ_m v_miᵀ ∇ψ(xᵢ) v_mi)/∂θ. Its cost is that
        of a few forward passes a direction, whatever d is.
        """


@runtime_checkable
class Centred(Protocol):
    """The model can be written in x − μ and z − λ: gradients follow that change of parameters.

    θ_c are the parameters of the same model with an offset taken off each of its units. For any
    criterion, a step in θ_c is better conditioned than one in θ where the offsets are the means of
    the data (Melchior, Fischer & Wiskott, JMLR 17, 2016).

    ``offsets`` is a tuple: those of the visible units, then those of each block of hidden ones, as
    ``PositivePhase.infer`` orders them.
    """

    def centre_gradient(self, theta, gradient, offsets):
        """Turn a gradient in θ, in place, into that in θ_c: (∂θ/∂θ_c)ᵀ applied to it."""

    def centre_change(self, theta, change, offsets):
        """Turn a change of θ_c, in place, into the change of θ that goes with it."""
