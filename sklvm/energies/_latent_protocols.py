"""Capabilities of energies with latent variables."""

from typing import Protocol, runtime_checkable

__all__ = [
    "Bound",
    "Decoder",
    "EnumeratedMarginal",
    "ExactPosterior",
    "IndependentBinaryLatents",
    "Joint",
    "LatentStates",
    "PositivePhase",
    "VariationalPosterior",
]


@runtime_checkable
class Joint(Protocol):
    """The joint energy E(x, z; θ) of binary z can be evaluated.

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


@runtime_checkable
class ExactPosterior(Joint, Protocol):
    """E(x, z; θ) = E₀(x; θ) − uᵀz is linear in z, so that p(z|x) ∝ exp(uᵀz) is known."""

    def posterior(self, theta, X):
        """p(z_k = 1 | x), shape (n, K)."""

    def posterior_logits(self, theta, X):
        """u(x; θ), shape (n, K)."""


@runtime_checkable
class VariationalPosterior(Joint, Protocol):
    """θ holds the parameters of a q(z|x; θ) = Π_k s(u_k)^{z_k} (1 − s(u_k))^{1−z_k} near p(z|x)."""

    def encoder_logits(self, theta, X):
        """u of shape (n, K), and ``pullback(U_bar)`` = Σᵢₖ Ūᵢₖ ∂u_k(xᵢ)/∂θ."""


@runtime_checkable
class LatentStates(Protocol):
    """z takes few states, which can be listed: one unit on and no more, for instance."""

    def latent_states(self):
        """The states, shape (n_states, K), float64."""


@runtime_checkable
class PositivePhase(Protocol):
    """Latent units are inferred for the rows of X, and the joint energy's gradient is known there.

    The *blocks* of a row are its visible units and then its groups of latent units, such as the
    layers of a deep machine. Where units enter the energy by products of units of different groups,
    the energy is linear in each group, and means may stand in the place of states:

    - posterior means, where the latent units are independent given x: the gradient of the joint
      energy at them is that of the marginal energy;
    - mean-field means: the gradient is that of the variational bound, see ``Bound``;
    - draws from the posterior: the gradient is right in expectation.
    """

    def infer(self, theta, X, state=None):
        """The blocks (X, means or draws of each group of latent units).

        `state` may be a ``ChainState`` at X: its cache saves products, its latent blocks may be a
        start, its seed keys draws. What is inferred for a row does not depend on its batch.
        """

    def joint_gradient(self, theta, blocks, w):
        """Σᵢ wᵢ ∂E(blocks of row i)/∂θ, for states or for their means."""


@runtime_checkable
class IndependentBinaryLatents(ExactPosterior, PositivePhase, Protocol):
    """z is binary, its units are independent given x, and E(x, z) is linear in z.

    The means m = E[z | x] then determine p(z | x), and ∂E(x)/∂θ is ∂E(x, z)/∂θ at z = m. This
    excludes latent units that are coupled, and one-hot states.
    """

    def draw_hidden(self, means, seed, sweep=0):
        """z | x from its means, by the counter-based generator at (row, unit, sweep)."""


@runtime_checkable
class Bound(Protocol):
    """A variational bound F(x) = E_q[E(x, z) + log q(z|x)] ≥ E(x) can be evaluated.

    q is part of the energy: mean field, or given by parameters in θ. p̃ need not be normalised:
    −F − log Z bounds log p(x) from below.
    """

    def bound(self, theta, X):
        """F of shape (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂F(xᵢ)/∂θ."""


@runtime_checkable
class EnumeratedMarginal(Protocol):
    """The marginal energy is a sum over the states of latent units, to be made where they are few.

    Attributes
    ----------
    n_latent_terms : int
        Terms of the sum for one row.
    """

    n_latent_terms: int

    def evaluate_by_states(self, theta, X):
        """Energies of shape (n,), and ``pullback(w)`` = Σᵢ wᵢ ∂E(xᵢ)/∂θ."""


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
