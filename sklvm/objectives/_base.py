"""What a training criterion is."""

from sklvm.layouts import ParameterLayout
from sklvm.settings import Settings, is_same

__all__ = ["ONE_LOG_PARTITION", "Objective"]

# What keeps a criterion from conditional energies that learns or computes log Z.
ONE_LOG_PARTITION = (
    "it takes log Z for one number, and that of a conditional model depends on the inputs in each "
    "row"
)


class Objective(Settings):
    """A criterion to be minimised over θ, one batch at a time.

    A criterion may learn parameters of its own (log Z, a variational posterior): they join the
    energy's in the one vector that the optimiser sees. The criterion sees both by name, as the
    ``energy`` and the ``own`` of a :class:`~sklvm.layouts.Parameters`.

    The following may depend on the parameters: they are attributes of objects, not of the class.

    Attributes
    ----------
    requires : tuple
        The capabilities it asks of an energy: protocols, or tuples of alternatives.
    deterministic : bool
        Whether value and gradient depend only on θ, the batch and the state: L-BFGS needs that.
    has_value : bool
        Whether ``step`` knows the criterion's value, or only its gradient.
    unbounded_on_ties : bool
        Whether it has no lower bound where several rows are equal and the model may be sharp.
    fits_density : bool
        Whether it fits the density of the data, and not something else.
    """

    requires: tuple = ()
    deterministic = False
    has_value = True
    fits_density = True
    unbounded_on_ties = False
    # Parameters on which the state of training does not depend.
    _state_ignores: tuple = ()

    def own_layout(self, energy):
        """Names and shapes of the parameters that the criterion itself learns."""
        return ParameterLayout({})

    def conditional_obstacle(self, energy):
        """Why it cannot train a conditional `energy`, one with ``n_inputs``; None if it can.

        Then noise and criterion concern only the entries that are not given.
        """
        return None

    def init(self, energy, theta, X, counts, rng):
        """Prepare for training on X.

        Parameters
        ----------
        energy : energy
            With the capabilities in ``requires``.
        theta : Parameters
            With the energy's start; that of the criterion's own parameters is written to it here.
        X : ndarray of shape (n, d)
            Training data, or the first chunk of a stream.
        counts : ndarray of shape (n,)
            How often each row counts: non-negative, of X's dtype, and 1 for an ordinary row.
        rng : Generator

        Returns
        -------
        state : object
            Whatever ``step`` carries along: noise densities, chains. Has to pickle.
        """
        return None

    def can_take_over(self, other):
        """Whether training by this criterion can continue from the state that `other` left."""
        return is_same(self, other, but=self._state_ignores)

    def diagnostics(self, state):
        """What ``history_`` records of the state after a step: floats by name."""
        return {}

    def settled(self, state):
        """The state for held-out rows: that after the end of any schedule of the criterion."""
        return state

    def step(self, energy, theta, X, weights, state, rng):
        """Value and gradient on a batch.

        Parameters
        ----------
        theta : Parameters
        X : ndarray of shape (n, d)
        weights : ndarray of shape (n,)
            Non-negative, of X's dtype and of sum 1; a block of a full batch has its share of that.
        state : object
            As left by ``init`` or by the last step.
        rng : Generator

        Returns
        -------
        value : float or None
            Mean of the criterion over the batch.
        gradient : Parameters
            Of θ's form.
        state : object
        """
        raise NotImplementedError
