"""What can be seen at the end of a fit that went wrong: measures, and what to do about them.

Each diagnosis is a function of what a fit had and made: records, rows, latent variables, noise. It
knows no estimator; the estimators say which apply to them.
"""

from sklvm.diagnostics._codes import empty_codes
from sklvm.diagnostics._convergence import convergence
from sklvm.diagnostics._diagnosis import Diagnosis, some_rows
from sklvm.diagnostics._latent import collapsed_latents, dead_units
from sklvm.diagnostics._noise import noise_coverage
from sklvm.diagnostics._rows import tied_rows, unscaled_features
from sklvm.diagnostics._scale import collapsed_scale

__all__ = [
    "Diagnosis",
    "collapsed_latents",
    "collapsed_scale",
    "convergence",
    "dead_units",
    "empty_codes",
    "noise_coverage",
    "some_rows",
    "tied_rows",
    "unscaled_features",
]
