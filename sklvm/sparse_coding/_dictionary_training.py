"""A dictionary in the making: coding and statistics by blocks of rows, and the step they allow."""

from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy import sparse

from sklvm.sparse_coding._coding import encode_rows
from sklvm.sparse_coding._initial_dictionary import unit_atoms
from sklvm.sparse_coding.dictionaries import DenseDictionary
from sklvm.sparse_coding.solvers import CodeResults
from sklvm.statistics import DictionaryStatistics

__all__ = ["CodedRows", "DictionaryTraining"]

# Usage of an atom, relative to the mean, below which it is dead. To forget such codes raises the
# objective by half their squares: less than the codes' own tolerance.
_DEAD = 1e-6
# A pass over the atoms takes about as long as to code so many rows takes, times ten.
_ROWS_A_PASS = 2048
_MOST_PASSES = 10


class CodedRows(NamedTuple):
    """Rows, their codes by the current dictionary, and their statistics."""

    X: np.ndarray
    weights: np.ndarray
    results: CodeResults
    statistics: DictionaryStatistics

    @property
    def objective(self):
        """Weighted sum of the rows' objectives."""
        return float(self.weights.astype(np.float64) @ self.results.objectives)


class DictionaryTraining:
    """Dictionary, statistics of the past, and random numbers; pickles with its estimator.

    Parameters
    ----------
    dictionary : ndarray of float64, shape (n_components, n_features)
    positive : bool
        Whether atoms are to be non-negative.
    dtype : dtype
        Of the data.
    rng : Generator

    Attributes
    ----------
    statistics : DictionaryStatistics
        Of what has been seen, the past scaled down.
    n_restarts : int
        Atoms that were dead and replaced, all in all.
    """

    def __init__(self, dictionary, *, positive, dtype, rng):
        self.dictionary, self.positive, self.dtype = dictionary, positive, dtype
        self.rng, self.shuffle_rng = rng.spawn(2)
        self.statistics = DictionaryStatistics.empty(*dictionary.shape)
        self.n_restarts = 0
        self._seen_weight = 0.0
        self._ages = np.zeros(len(dictionary), dtype=np.int64)

    @property
    def components(self):
        """The dictionary, as what users see of it."""
        return self.dictionary.astype(self.dtype)

    def code(self, X, weights, coding, codes=None):
        """Code rows and collect their statistics, in as many blocks as there are workers.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
        weights : ndarray of shape (n,)
        coding : CodingOptions
        codes : CSR array of shape (n, n_components), default=None
            Of a dictionary much like this one. A convex penalty starts from them. Others start
            afresh, and a row keeps its old code where the new one is no better.

        Returns
        -------
        coded : CodedRows
        """
        n_blocks = min(effective_n_jobs(coding.n_jobs), len(X))
        if n_blocks == 1:
            return CodedRows(X, weights, *_code_block(self.dictionary, coding, X, weights, codes))
        cuts = np.linspace(0, len(X), n_blocks + 1).astype(int)
        slices = [slice(*pair) for pair in pairwise(cuts)]
        parts = Parallel(n_jobs=coding.n_jobs, prefer="threads")(
            delayed(_code_block)(
                self.dictionary,
                coding,
                X[rows],
                weights[rows],
                None if codes is None else codes[rows],
            )
            for rows in slices
        )
        results, statistics = zip(*parts, strict=True)
        matrices, *others = zip(*results, strict=True)
        joined = CodeResults(sparse.vstack(matrices, format="csr"), *map(np.concatenate, others))
        return CodedRows(X, weights, joined, reduce(DictionaryStatistics.merge, statistics))

    def update(self, coded, forgetting):
        """Move the dictionary to where it fits the statistics of past and present.

        Parameters
        ----------
        coded : CodedRows
        forgetting : float
            ρ: a row at weight s of all the weight t seen so far counts (s / t)^ρ. Infinity forgets
            all that came before.
        """
        weight = coded.statistics.weight
        remembered = self._seen_weight / (self._seen_weight + weight)
        past = self.statistics.scale(remembered**forgetting if self._seen_weight else 0.0)
        self.statistics = past.merge(coded.statistics)
        self._seen_weight += weight
        self._ages += len(coded.X)
        passes = int(np.clip(len(coded.X) // _ROWS_A_PASS, 1, _MOST_PASSES))
        self.dictionary = self.statistics.solve(
            self.dictionary, positive=self.positive, max_passes=passes
        )
        self._restart_dead_atoms(coded)

    def _restart_dead_atoms(self, coded):
        """Atoms that nobody uses become the rows of greatest objective.

        In a stream of small batches an atom has as many rows as there are atoms to find use.
        """
        usage = np.diagonal(self.statistics.code_scatter)
        young = self._ages < len(usage)
        dead = np.flatnonzero((usage <= _DEAD * usage.mean()) & ~young)
        if not len(dead):
            return
        worst = np.argsort(-coded.results.objectives, kind="stable")[: len(dead)]
        rows = np.zeros((len(dead), coded.X.shape[1]))
        rows[: len(worst)] = coded.X[worst]
        np.nan_to_num(rows, copy=False)
        self.dictionary[dead] = unit_atoms(rows, self.positive, self.rng)
        self.statistics = self.statistics.without(dead)
        self._ages[dead] = 0
        self.n_restarts += len(dead)


def _code_block(dictionary, coding, X, weights, codes):
    is_convex = coding.penalty.convex
    # More than one worker: each of them has a thread.
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
    return results, statistics


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
