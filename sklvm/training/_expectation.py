"""The protocol of models that learn by expectation and maximisation."""

from typing import Protocol, runtime_checkable

__all__ = ["Expectation", "Restarts"]


class Expectation(Protocol):
    """A model that learns by expectation and maximisation, with two methods.

    Neither method changes the model, so that any worker can process any block of rows. A model may
    have two more methods: ``penalty(theta)`` is a part of the criterion that does not depend on the
    rows, such as minus the logarithm of a prior density; ``objective(statistics, theta)`` is the
    criterion as a function of merged statistics, for rows that were expected at different θ. A
    model that changes over the epochs of a fit has ``at_epoch(index)``, which returns the model of
    an epoch, and ``is_preliminary``, which says that its criterion is not to be watched yet.
    """

    def expect(self, theta, X, weights, local=None):
        """The criterion of each row at θ, and the statistics of the rows.

        Parameters
        ----------
        theta : object
        X : ndarray or CSR array of shape (n, d)
        weights : ndarray of shape (n,)
        local : object, default=None
            What was returned as `local` for these rows at their last visit, if there was one.

        Returns
        -------
        values : ndarray of shape (n,)
            The criterion of each row, to be minimised: a bound on −log p(x; θ), an objective.
        statistics : Statistics
            Weighted sums over the rows.
        local : object
            Values that belong to these rows and that their next visit starts from, such as codes
            or topic shares; None if there are none.
        """

    def maximize(self, statistics, theta):
        """The parameters that maximise the bound of these statistics, or raise it above θ's."""


@runtime_checkable
class Restarts(Protocol):
    """An ``Expectation`` whose components start again once no row uses them.

    ``n_components`` is their number. A component starts again after ``min_rows_unused`` rows that
    have not used it, by default as many rows as there are components.
    """

    n_components: int

    def unused(self, statistics):
        """Indices of the components that have no rows."""

    def restart(self, theta, statistics, components, rows, rng):
        """θ and statistics in which these components start again at the rows with the worst fit.

        There may be fewer rows than components.
        """
