"""Which diagnoses apply to a model that has learned by gradients, and what they are made from."""

import numpy as np

from sklvm.diagnostics import (
    collapsed_scale,
    dead_units,
    noise_coverage,
    some_rows,
    tied_rows,
    unscaled_features,
)
from sklvm.energies import IndependentBinaryLatents
from sklvm.rows import as_dense

__all__ = ["diagnose_training"]

# Draws of the noise that is looked at, and rows: directions of up to so many features / 5.
N_NOISE_ROWS = 2000


def diagnose_training(training, X, convergence):
    """What applies to the energy and the objective of a training, by name.

    - "unscaled_features" and "collapsed_scale" where the energy has a σ, the latter where it is
      learned;
    - "dead_units" where it has binary latent variables that are independent given x;
    - "tied_rows" where the objective says that ties leave it without a bound;
    - "noise_coverage" where the objective has real noise of its own.

    Parameters
    ----------
    training : Training
    X : ndarray or CSR array of shape (n, d)
        The rows that it has learned from.
    convergence : Diagnosis or None
    """
    energy, objective = training.energy, training.objective
    rows = as_dense(some_rows(X)).astype(training.theta.dtype, copy=False)
    complete = rows[~np.isnan(rows).any(axis=1)]
    found = {}
    scale = getattr(energy, "scale", None)
    if scale is not None:
        found["unscaled_features"] = unscaled_features(
            rows, None if scale.is_learned else scale.sigma
        )
        if "log_scale" in scale.layout:
            variance = scale.variance(energy.layout.views(training.energy_theta))
            found["collapsed_scale"] = collapsed_scale(np.sqrt(variance), scale.floor)
    if len(complete) and isinstance(energy, IndependentBinaryLatents):
        found["dead_units"] = dead_units(energy.posterior(training.energy_theta, complete))
    if objective.unbounded_on_ties and convergence is not None:
        found["tied_rows"] = tied_rows(as_dense(some_rows(X, 5000)), convergence)
    noise = getattr(training.objective_state, "density", None)
    if scale is not None and noise is not None:
        some = as_dense(some_rows(X, N_NOISE_ROWS))
        draws = noise.sample(N_NOISE_ROWS, np.random.default_rng(0))
        found["noise_coverage"] = noise_coverage(some[~np.isnan(some).any(axis=1)], draws)
    return found
