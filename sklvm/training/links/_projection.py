"""Constraints on parameters: the nearest point where they hold, or a shorter step."""

import numpy as np

from sklvm.training.links._base import Link

__all__ = ["Projection", "ShortenedStep"]

MAX_HALVINGS = 60


class Projection(Link):
    """Ends every step at the nearest point of a set: P ≥ 0, or rows of unit norm.

    Parameters
    ----------
    layout : ParameterLayout
        Of all parameters.
    project : callable
        A function of the parameters as views by name, which moves them in place to the nearest
        point of the set.
    asked_by : str
        The constraint, for messages.
    """

    moves = True

    def __init__(self, layout, project, asked_by):
        self.layout, self.project, self.asked_by = layout, project, asked_by

    def init(self, theta, X, weights):
        self.project(self.layout.views(theta))

    def move(self, theta, change, state):
        end = theta + change
        self.project(self.layout.views(end))
        np.subtract(end, theta, out=change)


class ShortenedStep(Link):
    """Halves a step until it ends in an open set, such as that of positive definite matrices.

    If it does not end there after 60 halvings, θ lies on the border as far as floating-point
    numbers can tell, and no step is made.

    Parameters
    ----------
    layout : ParameterLayout
        Of all parameters.
    is_inside : callable
        A function of the parameters as views by name: whether they are in the set. A matrix is
        positive definite if its Cholesky factor exists.
    asked_by : str
        The constraint, for messages.
    """

    moves = True

    def __init__(self, layout, is_inside, asked_by):
        self.layout, self.is_inside, self.asked_by = layout, is_inside, asked_by

    def init(self, theta, X, weights):
        if not self.is_inside(self.layout.views(theta)):
            raise ValueError(f"Training starts where {self.asked_by} does not hold.")

    def move(self, theta, change, state):
        for _ in range(MAX_HALVINGS):
            if self.is_inside(self.layout.views(theta + change)):
                return
            change *= change.dtype.type(0.5)
        change[...] = 0
