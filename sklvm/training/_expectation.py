"""What a model that learns by expectation and maximisation has to offer."""

from typing import Protocol, runtime_checkable

__all__ = ["Expectation", "Restarts"]


class Expectation(Protocol):
    """A model that learns by expectation and maximisation: two methods.

    Both are functions: they keep nothing, so that blocks of rows can be given to any worker. A
    model may have two more: ``penalty(theta)``, what belongs to the criterion whatever the rows are
    (minus the logarithm of a prior density), and ``objective(statistics, theta)``, the criterion of
    the rows as a function of their statistics, for rows that were expected at different θ. One that
    changes over the epochs of a fit says so by ``at_epoch(index)``, the model of an epoch, and by
    ``is_preliminary``, whether its criterion is not yet the one to be watched.
    """

    def expect(self, theta, X, weights, local=None):
        """What the parameters θ make of rows.

        Parameters
        ----------
        theta : object
        X : ndarray or CSR array of shape (n, d)
        weights : ndarray of shape (n,)
        local : object, default=None
            What was returned for these rows when they were last met, if they were.

        Returns
        -------
        values : ndarray of shape (n,)
            The criterion of each row, to be minimised: a bound on −log p(x; θ), an objective.
        statistics : Statistics
            Sums over the rows at their weights.
        local : object
            What belongs to the rows and is of use at their next visit: codes, shares of topics; or
            None.
        """

    def maximize(self, statistics, theta):
        """Parameters that suit the statistics: best, or better than θ."""


@runtime_checkable
class Restarts(Protocol):
    """An expectation with components that may lose all their rows, and then start again.

    ``n_components`` is their number. ``min_rows_unused``, by default as many, is how many rows a
    component may meet without use before it starts again.
    """

    n_components: int

    def unused(self, statistics):
        """Indices of the components that have no rows."""

    def restart(self, theta, statistics, components, rows, rng):
        """θ and statistics in which these components start anew, at rows of greatest criterion.

        There may be fewer rows than components.
        """
