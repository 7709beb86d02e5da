"""log Z(x) of each row, for conditional energies."""

import numpy as np

from sklvm.energies import free_entries
from sklvm.partition._annealed_importance_sampling import AnnealedImportanceSampling
from sklvm.partition._estimate import PartitionEstimate
from sklvm.partition._log_partition import can_be_exact
from sklvm.partition._paths import annealing_path
from sklvm.rows import slices

__all__ = ["conditional_log_partition"]

# Rows that are summed over at a time.
ROWS_AT_A_TIME = 256


def conditional_log_partition(
    energy, theta, X, reference=None, *, method="auto", budget=None, seed=0, progress=None
):
    """log Z(x) = log Σ_y or log ∫ dy of exp(−E(x, y; θ)), in nats, for each row [x, y].

    The y of a row does not matter. In annealing, the inputs x stay clamped along the whole path,
    and every row has chains of its own, driven by the same random numbers: the value of a row does
    not depend on the other rows.

    Parameters
    ----------
    energy : Energy
        A conditional energy; the first ``n_inputs`` entries of a row are given.
    theta : ndarray
        Its parameters.
    X : ndarray of shape (n, d)
    reference : ndarray or GaussianDensity, default=None
        Where annealing starts, from ``fit_reference``; exact sums do not need it.
    method : {"auto", "exact", "ais"}, default="auto"
        "exact" is a closed form, or a sum of at most 2²⁰ terms a row; "ais" is annealed importance
        sampling. "auto" is exact where that is possible, else "ais".
    budget : AnnealedImportanceSampling, default=None
        The budget of each row; None: the default one.
    seed : int or sequence of int, default=0
        For annealing.
    progress : callable, default=None
        (done, total) → None, called after each row that was annealed.

    Returns
    -------
    estimate : PartitionEstimate
        With arrays of shape (n,) for the value, the standard error and the effective sample size.

    Raises
    ------
    ValueError
        Where "exact" is asked for and impossible, or annealing lacks its reference.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import BernoulliRBMEnergy
    >>> from sklvm.partition import conditional_log_partition
    >>> class ConditionalRBM(BernoulliRBMEnergy):
    ...     n_inputs = 2
    >>> energy = ConditionalRBM(n_features=3, n_components=1)
    >>> theta = energy.layout.pack(weights=[[1, -1, 0]], visible_bias=0, hidden_bias=0)
    >>> X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    >>> conditional_log_partition(energy, theta, X).value.round(3)  # log 2 + log(1 + e^(x₁ − x₂))
    array([1.386, 2.006])
    """
    if method not in ("auto", "exact", "ais"):
        raise ValueError(f"method must be 'auto', 'exact' or 'ais', got {method!r}.")
    is_exact = can_be_exact(energy)
    if method == "exact" and not is_exact:
        raise ValueError(
            f"log Z(x) of {type(energy).__name__} is neither a closed form nor a sum of at most "
            "2^20 terms a row. Use method='ais'."
        )
    if is_exact and method != "ais":
        return _exact(energy, theta, X)
    if reference is None:
        raise ValueError("Annealing needs a reference: pass fit_reference(energy, X).")
    budget = AnnealedImportanceSampling() if budget is None else budget
    rows = []
    for done in range(len(X)):
        path = annealing_path(
            energy,
            theta,
            reference,
            n_leapfrog_steps=budget.n_leapfrog_steps,
            free=free_entries(energy),
            current=X[done : done + 1],
        )
        rows.append(budget.estimate(path, np.random.default_rng(seed)))
        if progress is not None:
            progress(done + 1, len(X))
    values, std_errs, sizes = (
        np.array([(row.value, row.std_err, row.effective_sample_size) for row in rows])
        .reshape(-1, 3)
        .T
    )
    return PartitionEstimate(values, std_errs, sizes, "ais")


def _exact(energy, theta, X):
    free = free_entries(energy)
    values = np.empty(len(X))
    for rows in slices(len(X), ROWS_AT_A_TIME):
        values[rows] = energy.log_clamped_partition(theta, X[rows], free)
    nothing, everything = np.zeros(len(X)), np.full(len(X), np.inf)
    return PartitionEstimate(values, nothing, everything, "exact")
