"""What a link of gradient training is."""

__all__ = ["Link"]


class Link:
    """One change to what a step of gradient training sees or makes.

    A step passes through a chain of links. Each link may act at four points of the step, one method
    a point, and does nothing where it does not override the method: ``draw`` makes the batch into
    the rows that the criterion sees, ``watch`` looks at these rows, ``pull`` changes the
    criterion's value and gradient, and ``move`` changes the step that the optimiser proposes.

    A link holds settings only. What changes during training is its *state*, made by ``init``; it
    pickles with the training, and goes on where a fit is continued.

    Attributes
    ----------
    asked_by : str
        The user's setting that asks for the link, for error messages: ``"weight_decay=0.1"``.
    deterministic : bool
        Whether equal rows at equal parameters have equal values and gradients.
    moves : bool
        Whether the link changes the steps of the optimiser.
    """

    asked_by: str
    deterministic = True
    moves = False

    def init(self, theta, X, weights):
        """The state before the first step.

        Parameters
        ----------
        theta : ndarray
            All parameters at their start. A constraint may move them to where it holds.
        X : ndarray of shape (n, d)
            Dense and complete rows of the training data.
        weights : ndarray of shape (n,)
            Positive; only their ratios count.
        """
        return None

    def draw(self, theta, X, state, rng):
        """The rows that the criterion sees in the place of X."""
        return X

    def watch(self, theta, X, weights, n_steps, state):
        """Look at a batch, after `n_steps` others; changes the state in place."""

    def pull(self, theta, value, gradient, state):
        """The value and the gradient with the link's own parts added.

        The value is None where the criterion has none; the gradient may be changed in place.
        """
        return value, gradient

    def move(self, theta, change, state):
        """Turn the change that is proposed for θ, in place, into the one to be made."""
