"""Precision matrices with given zeros: one criterion a file."""

from sklvm.covariance._solvers._clique_energy import CliqueEnergy
from sklvm.covariance._solvers._clique_sum import CliqueSum
from sklvm.covariance._solvers._closed_forms import solve_diagonal, solve_full
from sklvm.covariance._solvers._contrastive import solve_by_contrast
from sklvm.covariance._solvers._maximum_likelihood import solve_maximum_likelihood
from sklvm.covariance._solvers._score_matching import solve_score_matching
from sklvm.covariance._solvers._solution import Solution

__all__ = [
    "CliqueEnergy",
    "CliqueSum",
    "Solution",
    "solve_by_contrast",
    "solve_diagonal",
    "solve_full",
    "solve_maximum_likelihood",
    "solve_score_matching",
]
