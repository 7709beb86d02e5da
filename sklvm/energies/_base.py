"""What an energy may be able to do: one small protocol a capability.

An energy is E(x; θ) = −log p̃(x; θ), p̃ not normalised. It holds shapes and fixed settings, never
θ; θ is one flat vector whose named views are given by its ``layout``. A class implements only the
capabilities that its mathematics allows, and objectives, samplers and partition functions ask by
``isinstance``.

Rows of X are data points throughout, and a *pullback* is the transposed derivative at the point of
evaluation, so that the forward pass is computed once.
"""

from typing import Protocol, runtime_checkable

__all__ = [
    "BitFlips",
    "BlockGibbs",
    "Centred",
    "Decoder",
    "DirectionalCurvature",
    "Divergence",
    "Energy",
    "Enumerable",
    "ExactLikelihood",
    "ExactPosterior",
    "FreeEnergy",
    "HiddenMeans",
    "Joint",
    "LatentStates",
    "Marginal",
    "Score",
    "SharedInputs",
    "Tempered",
    "Tractable",
]


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

    def init_parameters(self, X, rng):
        """A start for training on X: a vector θ of X's dtype."""


@runtime_checkable
class Marginal(Protocol):
    """The marginal energy E(x; θ) can be evaluated."""

    def evaluate(self, theta, X):
        """Energies of shape (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂E(xᵢ)/∂θ."""


@runtime_checkable
class BitFlips(Protocol):
    """How much the energy of binary data changes with each single bit."""

    def flip_energies(self, theta, X):
        """Δ (n, d), and ``pullback(V)`` = Σᵢⱼ vᵢⱼ ∂Δᵢⱼ/∂θ.

        Δᵢⱼ is E(xᵢ with bit j flipped) − E(xᵢ), so that p(xⱼ | all others) = s(Δᵢⱼ).
        """


@runtime_checkable
class Joint(Protocol):
    """The joint energy E(x, z; θ) of binary z can be evaluated, and the posterior mean of z.

    z takes all states of {0, 1}^K, unless the energy names fewer by ``LatentStates``.

    Attributes
    ----------
    n_components : int
        Width K of z.
    """

    n_components: int

    def evaluate_joint(self, theta, X, Z):
        """Joint energies, and ``pullback(w)`` = Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ.

        Z has the shape (n, K), and E and w (n,); or (S, n, K), S states for each row, and E and w
        are then of the shape (S, n).
        """

    def posterior(self, theta, X):
        """p(z_k = 1 | x), shape (n, K)."""


@runtime_checkable
class ExactPosterior(Joint, Protocol):
    """E(x, z; θ) = E(x, 0; θ) − uᵀz is linear in z, so that p(z|x) ∝ exp(uᵀz) is known."""

    def posterior_log_odds(self, theta, X):
        """u(x; θ), shape (n, K)."""


@runtime_checkable
class LatentStates(Protocol):
    """z takes few states, which can be listed: one unit on and no more, for instance."""

    def latent_states(self):
        """The states, shape (n_states, K), float64."""


@runtime_checkable
class Decoder(Protocol):
    """x has a density given latent variables z ~ N(0, I), differentiable in both θ and z.

    Criteria that do without normalisation take any p̃(x, z) over real z, as p̃(x|z) N(z; 0, I).

    Attributes
    ----------
    n_components : int
        Width of z.
    """

    n_components: int

    def evaluate_given(self, theta, X, Z):
        """−log p(x|z) of shape (n,), and ``pullback(w, out)``.

        The pullback writes Σᵢ wᵢ ∂(−log p(xᵢ|zᵢ))/∂θ to the vector `out` and returns the rows
        wᵢ ∂(−log p(xᵢ|zᵢ))/∂zᵢ. Entries of X that are NaN are no part of the density.
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
class Divergence(Score, Protocol):
    """The divergence tr ∇ψ(x) = Δ log p̃(x) is known exactly as well."""

    def score_and_divergence(self, theta, X):
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
class HiddenMeans(Protocol):
    """E(x, z) is linear in hidden units that are binary and, given x, independent.

    Their means m = E[z | x] then tell all: z | x is drawn from them, and ∂E(x)/∂θ = ∂E(x, z)/∂θ at
    z = m. The product with θ that gives them serves the gradient and the next sweep of a chain.
    """

    def posterior(self, theta, X):
        """m, shape (n, n_components)."""

    def draw_hidden(self, means, seed, sweep=0):
        """z | x from its means, as ``sample_hidden`` draws it."""

    def joint_gradient(self, theta, X, Z, w):
        """Σᵢ wᵢ ∂E(xᵢ, zᵢ)/∂θ for states zᵢ, or for their means."""


@runtime_checkable
class Centred(Protocol):
    """The model can be written in x − μ and z − λ: gradients follow that change of parameters.

    θ_c are the parameters of the same model with an offset taken off each of its units. For any
    criterion, a step in θ_c is better conditioned than one in θ where the offsets are the means of
    the data (Melchior, Fischer & Wiskott, JMLR 17, 2016).

    ``offsets`` is a tuple: those of the visible units, then those of each block of hidden ones.
    """

    def hidden_means(self, theta, X):
        """E[z | x] of each block of hidden units: a tuple of arrays of shape (n, width)."""

    def centre_gradient(self, theta, gradient, offsets):
        """Turn a gradient in θ, in place, into that in θ_c: (∂θ/∂θ_c)ᵀ applied to it."""

    def centre_change(self, theta, change, offsets):
        """Turn a change of θ_c, in place, into the change of θ that goes with it."""


@runtime_checkable
class Tempered(Protocol):
    """A path of distributions of the same family leads from a tractable one to the model."""

    def tempered_start(self, X, sample_weight=None):
        """θ₀ of the tractable end, fitted to X; only the ratios of the weights count."""

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


@runtime_checkable
class Tractable(Protocol):
    """log Z(θ) has a closed form, and independent draws are to be had."""

    def log_partition(self, theta):
        """log Z(θ), in nats."""

    def sample(self, theta, n_samples, rng):
        """Independent draws, shape (n_samples, n_features)."""


@runtime_checkable
class Enumerable(Protocol):
    """log Z(θ) is a finite sum, over a table of states from which draws are to be had, too.

    Attributes
    ----------
    n_enumerated_units : int
        log Z is a sum of 2 to this power terms.
    """

    n_enumerated_units: int

    def enumerate_log_partition(self, theta):
        """log Z(θ) by the whole sum, in nats."""

    def sample_enumerated(self, theta, n_samples, rng):
        """Independent draws by the whole table, shape (n_samples, n_features)."""


@runtime_checkable
class ExactLikelihood(Protocol):
    """log Z(θ) and its gradient are known: in closed form, or where ``Enumerable`` as sums."""

    def log_partition_and_gradient(self, theta):
        """log Z(θ) in nats, and ∂log Z/∂θ = −E_model[∂E/∂θ]; infinite where there is no density."""


@runtime_checkable
class FreeEnergy(Protocol):
    """E_q[−log p(x, z) + log q(z|x)], for a normalised p and a built-in q, has a closed form."""

    def free_energy(self, theta, X):
        """F of shape (n,), an upper bound of −log p(x), and ``pullback(w)`` = Σᵢ wᵢ ∂F(xᵢ)/∂θ."""
