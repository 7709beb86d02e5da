"""Expectation and maximisation: in full passes, incrementally by batches, or online."""

import copy
import math
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from sklvm.exceptions import DivergenceError
from sklvm.rows import slices
from sklvm.training._expectation import Restarts
from sklvm.training._row_blocks import MIN_BLOCK_ROWS, RowBlocks
from sklvm.training._workers import Workers

__all__ = ["StatisticsTraining"]


class Expected(NamedTuple):
    """The result of an expectation step on some rows."""

    values: np.ndarray
    statistics: object
    local: list


class _Summary(NamedTuple):
    total: float
    weight: float


class _Batch:
    """Rows that are expected together, and the result of their last expectation."""

    def __init__(self, training, X, weights, rows):
        self.rows = RowBlocks(X, weights, rows, training.min_block_rows)
        self.weight = float(self.rows.weights.sum())
        self.expected = training._expect(self.rows)

    @property
    def total(self):
        """Weighted sum of the rows' criterion."""
        return float(self.rows.weights @ self.expected.values)

    def expect_again(self, training):
        self.expected = training._expect(self.rows, self.expected.local)

    def summary(self):
        """The total and the weight of a batch that does not come again."""
        return _Summary(self.total, self.weight)


class StatisticsTraining:
    """A model that learns by expectation and maximisation: its parameters and its statistics.

    - A **full pass** expects all rows and then maximises θ. The record of an epoch belongs to θ at
      its end; with exact steps the criterion never rises.
    - An **incremental pass** maximises after each batch, from the latest statistics of all batches.
      The bound that the criterion contains never gets worse (Neal and Hinton, 1998).
    - **Online**, the statistics of a batch join those of the past, which fade: after rows of total
      weight t, a row that came at total weight s counts (s/t)^ρ, ρ being the `forgetting` (Mairal,
      Bach, Ponce and Sapiro, 2010, section 3.4; it is the stepwise EM of Cappé and Moulines, 2009,
      with the step (ρ + 1)/t).

    Rows are divided into blocks whose size follows from their number, and the blocks' statistics
    are merged in order: θ is the same to the last bit for any number of workers.

    Parameters
    ----------
    model : Expectation
    theta : object
        Parameters to start from.
    rng : Generator
    forgetting : float, default=0.0
        ρ ≥ 0.
    incremental : bool, default=False
        Whether ``epoch`` takes its batches incrementally; otherwise online.
    n_jobs : int or None, default=None
        Number of blocks of rows that are processed at a time; see ``Workers``.

    Attributes
    ----------
    theta : object
    statistics : Statistics or None
        The statistics from which θ was last maximised.
    n_steps, n_restarts : int
        How often θ was maximised, and how many components have started again.
    objective : float
        The criterion of the last epoch or pass.
    """

    drives_epochs, converged = False, None

    def __init__(self, model, theta, rng, *, forgetting=0.0, incremental=False, n_jobs=None):
        self.model, self.theta = model, theta
        self.rng, self.shuffle_rng = rng.spawn(2)
        self.forgetting, self.incremental, self.n_jobs = forgetting, incremental, n_jobs
        self.statistics, self.objective = None, math.nan
        self.n_steps = self.n_restarts = 0
        self._seen_weight = 0.0
        self._rows_since_start = np.zeros(getattr(model, "n_components", 0), dtype=np.int64)
        self._workers, self._pass = Workers(1), None
        self.keep()

    def continued(self, model, theta, *, forgetting, n_jobs, incremental=False):
        """A training that continues from this one with other settings."""
        other = copy.copy(self)
        other.model, other.theta = model, theta
        other.forgetting, other.incremental, other.n_jobs = forgetting, incremental, n_jobs
        other.keep()
        return other

    # -- around a fit -----------------------------------------------------------------------------

    @contextmanager
    def working(self):
        """A context in which the workers stay alive."""
        try:
            with Workers(self.n_jobs).running() as self._workers:
                yield
        except BaseException:
            self.forget_rows()
            raise
        finally:
            self._workers = Workers(1)

    def forget_rows(self):
        """Forget the local values of the rows of the last fit."""
        self._pass = None

    @property
    def min_block_rows(self):
        """Least number of rows in a block: some models see only the changes of their own block."""
        return getattr(self.model, "min_block_rows", MIN_BLOCK_ROWS)

    @property
    def local(self):
        """The local values of the last full pass, one entry for each block of rows."""
        return [] if self._pass is None else self._pass.expected.local

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        self.forget_rows()
        self._n_epochs = 0

    def keep(self):
        self._kept = (
            self.theta,
            self.statistics,
            self._rows_since_start.copy(),
            self._seen_weight,
            self.n_steps,
            self.n_restarts,
        )

    def restore(self):
        self.theta, self.statistics, ages, self._seen_weight, *counts = self._kept
        self._rows_since_start = ages.copy()
        self.n_steps, self.n_restarts = counts

    def __getstate__(self):
        # Workers, and what belongs to rows, are those of a fit.
        return {**self.__dict__, "_workers": Workers(1), "_pass": None, "_kept": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.keep()

    # -- passes over rows -------------------------------------------------------------------------

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        n_restarts = self.n_restarts
        self._turn_to_epoch(self._n_epochs)
        self._n_epochs += 1
        if batch_size is None:
            self._full_pass(X, weights, rows)
        elif self.incremental:
            self._incremental_pass(X, weights, rows, batch_size, shuffle)
        else:
            order = self.shuffle_rng.permutation(rows) if shuffle else rows
            self._online_pass(X, weights, (order[part] for part in slices(len(order), batch_size)))
        return self._record(n_restarts)

    def stream(self, X, weights, *, batch_size):
        n_restarts, order = self.n_restarts, np.arange(len(weights))
        self._turn_to_epoch(math.inf)
        batches = slices(len(order), batch_size or len(order))
        self._online_pass(X, weights, (order[part] for part in batches))
        return self._record(n_restarts)

    def _turn_to_epoch(self, index):
        at_epoch = getattr(self.model, "at_epoch", None)
        if at_epoch is not None:
            self.model = at_epoch(index)

    def evaluate(self, X, weights, batch_size):
        expected = self._expect(RowBlocks(X, weights))
        return float(np.average(expected.values, weights=weights))

    # -- the three ways ---------------------------------------------------------------------------

    def _full_pass(self, X, weights, rows):
        if self._pass is None:
            self._pass = _Batch(self, X, weights, rows)
        batch = self._pass
        self._maximize(batch.expected.statistics, batch)
        batch.expect_again(self)
        self._seen_weight = batch.weight
        self._note_objective([batch])

    def _incremental_pass(self, X, weights, rows, batch_size, shuffle):
        """Batches are the same in all passes; the order in which they come may change.

        The statistics of all batches are the new ones of the batches that came before in this pass
        and the old ones of those that follow. Both are made by merging: nothing is subtracted.
        """
        if self._pass is None:
            order = self.shuffle_rng.permutation(rows) if shuffle else rows
            self._pass = [
                _Batch(self, X, weights, np.sort(order[part]))
                for part in slices(len(order), batch_size)
            ]
        batches = self._pass
        if shuffle:
            batches = [batches[index] for index in self.shuffle_rng.permutation(len(batches))]
        before = batches[0].expected.statistics.neutral()
        after = [before]
        for batch in batches[:0:-1]:
            after.append(batch.expected.statistics.merge(after[-1]))
        for batch, others in zip(batches, reversed(after), strict=True):
            statistics = before.merge(batch.expected.statistics).merge(others)
            self._maximize(statistics, batch)
            batch.expect_again(self)
            before = before.merge(batch.expected.statistics)
        self._seen_weight = sum(batch.weight for batch in batches)
        self._note_objective(batches, before)

    def _online_pass(self, X, weights, batches):
        seen = []
        for rows in batches:
            batch = _Batch(self, X, weights, rows)
            statistics = batch.expected.statistics
            if self.statistics is not None:
                remembered = self._seen_weight / (self._seen_weight + batch.weight)
                statistics = self.statistics.scale(remembered**self.forgetting).merge(statistics)
            self._seen_weight += batch.weight
            self._maximize(statistics, batch)
            seen.append(batch.summary())
        self._note_objective(seen)

    # -- steps ------------------------------------------------------------------------------------

    def _expect(self, blocks, local=None):
        """Expect blocks of rows on all workers, and merge the results in order."""
        tasks = (
            (self.model, self.theta, block, None if local is None else local[index])
            for index, block in enumerate(blocks)
        )
        all_values, all_local, statistics = [], [], None
        for values, part, block_local in self._workers.map(_expect, tasks):
            all_values.append(values)
            all_local.append(block_local)
            statistics = part if statistics is None else statistics.merge(part)
        return Expected(np.concatenate(all_values, dtype=np.float64), statistics, all_local)

    def _maximize(self, statistics, batch):
        """Maximise, and restart unused components at the rows with the worst fit."""
        self.theta, self.statistics = self.model.maximize(statistics, self.theta), statistics
        self.n_steps += 1
        if not isinstance(self.model, Restarts):
            return
        values = batch.expected.values
        self._rows_since_start += len(values)
        # In a stream of small batches a component has a while to find rows.
        min_rows = getattr(self.model, "min_rows_unused", self.model.n_components)
        is_young = self._rows_since_start < min_rows
        unused = np.array([k for k in self.model.unused(statistics) if not is_young[k]], dtype=int)
        if not len(unused):
            return
        worst = batch.rows.take(np.argsort(-values, kind="stable")[: len(unused)])
        self.theta, self.statistics = self.model.restart(
            self.theta, statistics, unused, worst, self.rng
        )
        self._rows_since_start[unused] = 0
        self.n_restarts += len(unused)

    def _note_objective(self, batches, statistics=None):
        """Record the criterion for each unit of weight.

        Rows may have been expected at different θ. A model with ``objective(statistics, θ)``
        evaluates the criterion of the merged statistics at one θ.
        """
        weight = sum(batch.weight for batch in batches)
        bound = getattr(self.model, "objective", None)
        if statistics is None or bound is None:
            total = sum(batch.total for batch in batches)
        else:
            total = bound(statistics, self.theta)
        penalty = getattr(self.model, "penalty", None)
        if penalty is not None:
            total += penalty(self.theta)
        self.objective = total / weight
        if not math.isfinite(self.objective):
            objective, n_steps = self.objective, self.n_steps
            self.restore()
            raise DivergenceError(
                f"The criterion is {objective} after {n_steps} steps. The last finite parameters "
                "were kept. Scale the data, or regularise."
            )

    def _record(self, n_restarts):
        is_preliminary = getattr(self.model, "is_preliminary", False)
        record = {} if is_preliminary else {"objective": self.objective}
        if isinstance(self.model, Restarts):
            record["restarts"] = self.n_restarts - n_restarts
        return record


def _expect(model, theta, block, local):
    return model.expect(theta, *block, local)
