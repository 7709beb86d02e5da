"""log Z of any energy, exact or estimated."""

from functools import partial

import numpy as np

from sklvm.energies import (
    ClampedPartition,
    ExactPartition,
    Gibbs,
    IndependentBinaryLatents,
    Joint,
    free_entries,
)
from sklvm.partition._annealed_importance_sampling import AnnealedImportanceSampling
from sklvm.partition._estimate import PartitionEstimate
from sklvm.partition._paths import annealing_path

__all__ = ["MAX_TERMS", "can_be_exact", "log_partition"]

# Terms of a sum over states that is still made, all rows together.
MAX_TERMS = 2**20
METHODS = ("auto", "exact", "ais", "reverse_ais")


def log_partition(
    energy, theta, reference=None, *, method="auto", budget=None, rng=None, progress=None
):
    """log Z(θ) in nats.

    Parameters
    ----------
    energy : energy
    theta : ndarray
        The energy's parameters.
    reference : ndarray or GaussianDensity, default=None
        Where annealing starts, from ``fit_reference``; exact methods do not need it.
    method : {"auto", "exact", "ais", "reverse_ais"}, default="auto"
        "exact" is the closed form, or the sum of at most 2²⁰ terms, of an energy with an exact
        partition function; "ais" is annealed importance sampling from the reference to the model,
        "reverse_ais" back from draws of the model. "auto" is exact where that is possible, else
        "ais".
    budget : AnnealedImportanceSampling, default=None
        None: the default one.
    rng : Generator, default=None
        For annealing; None: a generator of unpredictable seed.
    progress : callable, default=None
        (done, total) → None, called after each temperature of a run.

    Returns
    -------
    estimate : PartitionEstimate

    Raises
    ------
    ValueError
        Where "exact" is asked for and impossible, or annealing lacks its reference.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy
    >>> from sklvm.partition import log_partition
    >>> energy = BernoulliRBMEnergy(n_features=3, n_components=2)
    >>> estimate = log_partition(energy, np.zeros(energy.layout.size))
    >>> float(np.round(estimate.value / np.log(2), 6)), estimate.method
    (5.0, 'exact')
    """
    if method not in METHODS:
        raise ValueError(f"method must be 'auto', 'exact', 'ais' or 'reverse_ais', got {method!r}.")
    if method in ("auto", "exact"):
        if can_be_exact(energy):
            return PartitionEstimate(float(energy.log_partition(theta)), 0.0, np.inf, "exact")
    if method == "exact":
        raise ValueError(
            f"log Z of {type(energy).__name__} is not known exactly: it is neither a closed form "
            "nor a sum of at most 2^20 terms, as over the states of 20 binary units. Use "
            "method='ais'."
        )
    if reference is None:
        raise ValueError("Annealing needs a reference: pass fit_reference(energy, X).")
    budget = AnnealedImportanceSampling() if budget is None else budget
    path = annealing_path(energy, theta, reference, n_leapfrog_steps=budget.n_leapfrog_steps)
    return budget.estimate(
        path,
        np.random.default_rng() if rng is None else rng,
        method="ais" if method == "auto" else method,
        draw=_independent_draws(energy, theta),
        progress=progress,
    )


def can_be_exact(energy, n_rows=1):
    """Whether log Z is known, in a closed form or by a sum of at most ``MAX_TERMS`` terms.

    Parameters
    ----------
    energy : energy
    n_rows : int, default=1
        For how many rows a sum is made. A conditional energy has log Z for each row: there the
        terms of one row count, so that no row depends on how many come with it.
    """
    free = free_entries(energy)
    if free is None:
        return isinstance(energy, ExactPartition) and energy.n_terms * n_rows <= MAX_TERMS
    return isinstance(energy, ClampedPartition) and energy.n_clamped_terms(free) <= MAX_TERMS


def _independent_draws(energy, theta):
    """(n, rng) → draws from the model, or None where there is no way.

    A chain over hidden units that depend on one another has to start at draws of these as well.
    """
    has_more = isinstance(energy, Gibbs) and isinstance(energy, Joint)
    has_more = has_more and not isinstance(energy, IndependentBinaryLatents)
    return partial(energy.sample, theta) if can_be_exact(energy) and not has_more else None
