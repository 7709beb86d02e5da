"""The known density with which noise-contrastive estimation compares the data."""

from functools import partial

import numpy as np

from sklvm.densities import (
    ChowLiuDensity,
    GaussianDensity,
    IndependentBernoulliDensity,
    estimator_density,
)
from sklvm.energies import Decoder, Score, VariationalPosterior

__all__ = ["REFERENCES", "reference_density"]


def reference_density(reference, energy, X, counts, rng):
    """The density that `reference` stands for, fitted to X where it is not known yet.

    Parameters
    ----------
    reference : str, density or estimator
        "auto", a key of ``REFERENCES``, a density with ``log_density`` and ``sample(n, rng)``, or
        an estimator with ``score_samples`` and ``sample``.
    energy : energy
    X : ndarray of shape (n, d)
    counts : ndarray of shape (n,)
        How often each row counts, non-negative.
    rng : Generator

    Raises
    ------
    ValueError
        For the name of a density of binary data where they are real, or the other way round.
    """
    if isinstance(reference, str):
        return _fit_by_name(reference, _is_real(energy, X))(X, counts)
    if hasattr(reference, "log_density"):
        return reference
    return estimator_density(reference, X, counts, rng)


def _is_real(energy, X):
    """Whether the data are real and not binary: by the energy, or else by their values."""
    if isinstance(energy, (Decoder, VariationalPosterior)):
        return not np.all((X == 0) | (X == 1))
    return isinstance(energy, Score)


def _fit_by_name(name, is_real):
    """(X, counts) → density."""
    names = REAL_REFERENCES if is_real else BINARY_REFERENCES
    if name == "auto":
        return AUTOMATIC_REAL if is_real else IndependentBernoulliDensity.fit
    if name not in names:
        raise ValueError(
            f"reference={name!r} is noise for {'binary' if is_real else 'real'} data. For "
            f"{'real' if is_real else 'binary'} data there are {['auto', *sorted(names)]}."
        )
    return names[name]


AUTOMATIC_REAL = partial(GaussianDensity.fit, correlations="auto")
REAL_REFERENCES = {
    "gaussian": GaussianDensity.fit,
    "independent_gaussian": partial(GaussianDensity.fit, correlations="none"),
}
BINARY_REFERENCES = {
    "chow_liu": ChowLiuDensity.fit,
    "independent_bernoulli": IndependentBernoulliDensity.fit,
}
REFERENCES = {**REAL_REFERENCES, **BINARY_REFERENCES}
