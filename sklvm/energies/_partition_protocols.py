"""What an energy may be able to tell of log Z."""

from typing import Protocol, runtime_checkable

__all__ = ["ClampedPartition", "ConditionalPartition", "ExactPartition"]


@runtime_checkable
class ExactPartition(Protocol):
    """log Z(θ), its gradient and independent draws are known, as a sum of ``n_terms`` terms.

    Whether that is used depends on the number of terms; see ``sklvm.partition.MAX_TERMS``.

    Attributes
    ----------
    n_terms : int
        1 for a closed form.
    """

    n_terms: int

    def log_partition(self, theta):
        """log Z(θ), in nats."""

    def log_partition_and_gradient(self, theta):
        """log Z(θ) in nats, and ∂log Z/∂θ = −E_model[∂E/∂θ]; infinite where there is no density."""

    def sample(self, theta, n_samples, rng):
        """Independent draws, shape (n_samples, n_features)."""


@runtime_checkable
class ConditionalPartition(Protocol):
    """log Z(x; θ) of a conditional energy and its gradient are known for each row.

    Attributes
    ----------
    n_terms : int
        Terms of the sum for one row.
    """

    n_terms: int

    def conditional_log_partition(self, theta, X):
        """log Z(xᵢ; θ) of shape (n,), in nats, and ``pullback(w)`` = Σᵢ wᵢ ∂log Z(xᵢ)/∂θ.

        X has rows [x, y]; y is not looked at.
        """


@runtime_checkable
class ClampedPartition(Protocol):
    """log Σ p̃(x) over some units, the others held, is known for each row.

    It gives the marginal density of any units, and the conditional density of any given others. Of
    a conditional energy, it is log Z(x) of each row.
    """

    def n_clamped_terms(self, free):
        """Terms of a row's sum over the units in the mask `free`, of shape (d,)."""

    def log_clamped_partition(self, theta, X, free):
        """log Σ or ∫ p̃(x) over the units in `free`, the others held at the rows of X.

        Of shape (n,), float64, in nats; the free entries of X are not looked at.
        """
