"""What sufficient statistics have in common: they merge, scale, and have a neutral element."""

from typing import Protocol, Self, runtime_checkable

__all__ = ["Statistics"]


@runtime_checkable
class Statistics(Protocol):
    """Sums over weighted rows, from which a model's parameters are solved.

    Statistics of parts of the data merge into those of the whole. That is all that batch training,
    streams and map-reduce over workers ask for. ``merge`` is associative and commutative up to
    rounding. No method changes the statistics that it is called on.
    """

    def merge(self, other) -> Self:
        """Statistics of the rows of both."""

    def scale(self, factor) -> Self:
        """Statistics of the same rows at `factor` times their weight; `factor` ≥ 0."""

    def neutral(self) -> Self:
        """Statistics of no rows at all, of the same shapes: whatever they merge with remains."""
