"""Dictionary learning as expectation and maximisation: codes, and the atoms that suit them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._coding_options import CodingOptions
from sklvm.sparse_coding._initial_dictionary import unit_atoms
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.statistics import DictionaryStatistics

__all__ = ["DictionaryExpectation"]

# Usage of an atom, relative to the mean, below which it is dead. To forget such codes raises the
# objective by half their squares: less than the codes' own tolerance.
_DEAD = 1e-6
# A pass over the atoms takes about as long as to code so many rows takes, times ten.
_ROWS_A_PASS = 2048
_MOST_PASSES = 10


@dataclass(frozen=True)
class DictionaryExpectation:
    """Codes of rows, and an update of the dictionary: the parameters θ are D, in float64.

    Attributes
    ----------
    n_components : int
        Number of atoms.
    coding : CodingOptions
    positive : bool
        Whether atoms are to be non-negative.
    max_passes : int
        Over the atoms in one update.
    dtype : dtype
        Of the data.
    """

    n_components: int
    coding: CodingOptions
    positive: bool
    max_passes: int
    dtype: np.dtype

    # Codes of so many rows take longer than to merge their statistics with others.
    min_block_rows = 128

    @staticmethod
    def passes_for(n_rows):
        """How many passes over the atoms the codes of so many rows are worth."""
        return int(np.clip(n_rows // _ROWS_A_PASS, 1, _MOST_PASSES))

    def expect(self, dictionary, X, weights, local=None):
        """Objectives of the rows, statistics of their codes, and the codes.

        A convex penalty starts from the codes of the last visit, which are those of a dictionary
        much like this one. Others start afresh, and a row keeps its old code where the new one is
        no better.
        """
        coding, codes = self.coding, None if local is None else local.codes
        is_convex = coding.penalty.convex
        # A worker that was asked for has a thread.
        n_threads = None if coding.n_jobs is None else 1
        problem, solver = coding.problem(DenseDictionary(dictionary), n_threads=n_threads)
        results = encode_rows(
            problem,
            solver,
            X,
            codes if is_convex else None,
            tol=coding.tol,
            max_iter=coding.max_iter,
            sparse_output=True,
        )
        if codes is not None and not is_convex:
            results = _better_of(results, codes, X, problem)
        statistics = DictionaryStatistics.collect(X, results.codes, weights, dictionary=dictionary)
        return results.objectives, statistics, results

    def maximize(self, statistics, dictionary):
        """A dictionary that fits the statistics better, atom by atom in closed form."""
        return statistics.solve(dictionary, positive=self.positive, max_passes=self.max_passes)

    def unused(self, statistics):
        """Atoms that no code uses."""
        usage = np.diagonal(statistics.code_scatter)
        return np.flatnonzero(usage <= _DEAD * usage.mean())

    def restart(self, dictionary, statistics, atoms, rows, rng):
        """Atoms in the directions of these rows; no row has used them so far."""
        directions = np.zeros((len(atoms), dictionary.shape[1]))
        directions[: len(rows)] = np.nan_to_num(rows)
        dictionary = dictionary.copy()
        dictionary[atoms] = unit_atoms(directions, self.positive, rng)
        return dictionary, statistics.without(atoms)


def _better_of(results, codes, X, problem):
    """New codes, or the old ones in those rows where they are better."""
    penalty = problem.penalty
    if getattr(penalty, "max_residual", 0) > 0:
        return results  # old codes may have left the bound
    residual = np.nan_to_num(X - problem.dictionary.synthesize(codes))
    objectives = 0.5 * np.einsum("ij,ij->i", residual, residual)
    if penalty.separable:
        objectives += penalty.value(codes.toarray(), problem.alpha)
    is_old_better = objectives < results.objectives
    if not is_old_better.any():
        return results
    order = np.where(is_old_better, len(X), 0) + np.arange(len(X))
    return results._replace(
        codes=sparse.vstack([results.codes, codes], format="csr")[order],
        objectives=np.where(is_old_better, objectives, results.objectives),
    )
