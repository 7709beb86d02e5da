"""Rows of data: some of them, dense ones, complete ones, those with the same gaps."""

from sklvm.rows._dense_rows import as_dense, has_gaps, starting_rows
from sklvm.rows._row_sets import rows_by_gaps, slices

__all__ = ["as_dense", "has_gaps", "rows_by_gaps", "slices", "starting_rows"]
