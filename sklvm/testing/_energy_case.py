"""All checks of an energy, to be inherited."""

from sklvm.testing._array_checks import ArrayChecks
from sklvm.testing._chain_checks import ChainChecks
from sklvm.testing._derivative_checks import DerivativeChecks
from sklvm.testing._latent_checks import (
    BoundChecks,
    HiddenMeansChecks,
    JointChecks,
)
from sklvm.testing._normalization_checks import NormalizationChecks
from sklvm.testing._site_checks import SiteChecks

__all__ = ["EnergyTestCase"]


class EnergyTestCase(
    DerivativeChecks,
    SiteChecks,
    JointChecks,
    HiddenMeansChecks,
    BoundChecks,
    ChainChecks,
    NormalizationChecks,
    ArrayChecks,
):
    """What an energy inherits by handing over one model.

    A subclass whose name starts with ``Test`` is collected by pytest. Which checks apply follows
    from the capabilities that the energy has; the others are skipped.

    - derivatives: energies, joint energies, scores and Laplacians against finite differences;
    - site conditionals: differences of energies, and their derivatives;
    - hidden units: posterior, its logits and marginal against sums over all hidden states;
      gradients and draws by their means; variational bounds;
    - chains: sweeps, free, clamped and tempered, against the enumerated model; tempered ends;
    - normalisation: exact log Z, that of clamped units, and by annealing, its gradient,
      independent draws and Hamiltonian transitions, against sums over all of space;
    - arrays: float32, memory layouts, independence of rows.

    A model of many features gives a smaller one too, by ``make_small``, for the sums over all of
    space. Random numbers follow from the class attribute ``seed``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import GaussianEnergy
    >>> from sklvm.testing import EnergyTestCase
    >>> class TestGaussianEnergy(EnergyTestCase):
    ...     def make(self):
    ...         energy = GaussianEnergy(n_features=2)
    ...         theta = energy.pack([1.0, 0.0], [[2.0, 0.5], [0.5, 1.0]])
    ...         return energy, theta, np.random.default_rng(0).standard_normal((12, 2))
    >>> TestGaussianEnergy().test_the_exact_log_partition_is_the_sum_over_all_of_space()
    """
