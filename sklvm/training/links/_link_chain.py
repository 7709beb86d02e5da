"""The links of one training, in their order, with their states."""

import copy

__all__ = ["LinkChain"]


class LinkChain:
    """Applies links one after the other.

    Parameters
    ----------
    links : iterable of Link
    theta : ndarray
        All parameters at their start.
    X : ndarray of shape (n, d)
        Dense and complete rows of the training data.
    weights : ndarray of shape (n,)

    Attributes
    ----------
    states : list
        Of the links, in their order.
    moves : bool
        Whether any of them changes the optimiser's steps.
    """

    def __init__(self, links, theta, X, weights):
        self._set(links)
        self.states = [link.init(theta, X, weights) for link in self.links]

    def draw(self, theta, X, rng):
        """The rows that the criterion sees: each link draws from what the one before it made."""
        for link, state in self:
            X = link.draw(theta, X, state, rng)
        return X

    def watch(self, theta, X, weights, n_steps):
        """Show a batch to all links, after `n_steps` others."""
        for link, state in self:
            link.watch(theta, X, weights, n_steps, state)

    def pull(self, theta, value, gradient):
        """The criterion's value and gradient as the links change them, one after the other."""
        for link, state in self:
            value, gradient = link.pull(theta, value, gradient, state)
        return value, gradient

    def move(self, theta, change):
        """Turn the optimiser's change of θ, in place, into the one to be made."""
        for link, state in self:
            link.move(theta, change, state)

    def continued(self, links, states, theta, start):
        """A chain of other links; those of a class that is here already go on from its state.

        Parameters
        ----------
        links : iterable of Link
        states : list
            Of the links that are here; a copy, say.
        theta : ndarray
        start : callable
            () → X and weights as at the start of a training, for links that are new.
        """
        known = {type(link): state for link, state in zip(self.links, states, strict=True)}
        chain = copy.copy(self)
        chain._set(links)
        chain.states = [
            known[type(link)] if type(link) in known else link.init(theta, *start())
            for link in chain.links
        ]
        return chain

    def _set(self, links):
        self.links = tuple(links)
        self.moves = any(link.moves for link in self.links)

    def __iter__(self):
        return zip(self.links, self.states, strict=True)
