"""The test case that all sufficient statistics pass."""

import dataclasses

import numpy as np
from numpy.testing import assert_allclose

from sklvm.statistics import Statistics

__all__ = ["StatisticsTestCase"]


class StatisticsTestCase:
    """To inherit by a test class: statistics of parts merge into those of the whole.

    A subclass gives ``collect(rows, weights)``, the statistics of some of its rows at these
    weights: `rows` is an array of indices below ``n_rows``. It may give ``solution(statistics)``,
    the parameters as a tuple of arrays; without it the statistics' own fields are compared.
    """

    n_rows = 40
    rtol = 1e-9

    def collect(self, rows, weights):
        """The statistics of the rows with these indices, at these weights."""
        raise NotImplementedError

    def solution(self, statistics):
        """What is solved from them: arrays in a fixed order."""
        return self.fields(statistics)

    def fields(self, statistics):
        """All numbers of which they consist."""
        if dataclasses.is_dataclass(statistics):
            return [getattr(statistics, field.name) for field in dataclasses.fields(statistics)]
        return list(vars(statistics).values())

    def _all(self):
        return np.arange(self.n_rows), 0.25 + np.arange(self.n_rows) % 5

    def _assert_equal(self, some, others):
        for one, other in zip(some, others, strict=True):
            scale = np.abs(other).max(initial=0)
            assert_allclose(one, other, rtol=self.rtol, atol=self.rtol * scale)

    def test_they_are_statistics(self):
        assert isinstance(self.collect(*self._all()), Statistics)

    def test_parts_merge_into_the_whole_in_any_order_and_grouping(self):
        rows, weights = self._all()
        whole = self.fields(self.collect(rows, weights))
        a, b, c = (
            self.collect(rows[part], weights[part])
            for part in (slice(0, 3), slice(3, 20), slice(20, None))
        )
        for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
            self._assert_equal(self.fields(merged), whole)

    def test_to_scale_is_to_weight_every_row(self):
        rows, weights = self._all()
        scaled = self.collect(rows, weights).scale(0.3)
        self._assert_equal(self.fields(scaled), self.fields(self.collect(rows, 0.3 * weights)))

    def test_what_was_scaled_merges_by_its_new_weight(self):
        rows, weights = self._all()
        past = self.collect(rows[:25], weights[:25]).scale(0.2)
        merged = past.merge(self.collect(rows[25:], weights[25:]))
        weights = np.where(rows < 25, 0.2 * weights, weights)
        self._assert_equal(self.fields(merged), self.fields(self.collect(rows, weights)))

    def test_the_solution_knows_ratios_of_weights_only(self):
        rows, weights = self._all()
        statistics = self.collect(rows, weights)
        self._assert_equal(self.solution(statistics.scale(7.0)), self.solution(statistics))

    def test_the_neutral_element_changes_nothing(self):
        statistics = self.collect(*self._all())
        nothing = statistics.neutral()
        for merged in (statistics.merge(nothing), nothing.merge(statistics)):
            self._assert_equal(self.fields(merged), self.fields(statistics))
        self._assert_equal(self.fields(nothing.merge(nothing)), self.fields(nothing))

    def test_nothing_is_changed_in_place(self):
        rows, weights = self._all()
        some, others = self.collect(rows[:9], weights[:9]), self.collect(rows[9:], weights[9:])
        before = [np.copy(field) for field in (*self.fields(some), *self.fields(others))]
        some.merge(others), some.scale(0.5), others.neutral()
        for field, copy in zip((*self.fields(some), *self.fields(others)), before, strict=True):
            assert np.array_equal(field, copy)
