"""All parameters of a model in one flat vector, with named and shaped views into it."""

import math
from collections.abc import Mapping

import numpy as np

__all__ = ["ParameterLayout"]


class ParameterLayout(Mapping):
    """Where each named parameter lies in the flat vector.

    Optimisers see the vector; models see the views; estimators publish the views as fitted
    attributes.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        The parameters in the order in which they lie; ``()`` is a scalar.
    column_major : iterable of str, default=()
        Those that lie column by column.

    Attributes
    ----------
    size : int
        Length of the flat vector.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.layouts import ParameterLayout
    >>> layout = ParameterLayout({"weights": (2, 3), "bias": (2,), "log_sigma": ()})
    >>> theta = layout.pack(weights=np.ones((2, 3)), bias=np.zeros(2), log_sigma=0.5)
    >>> theta.shape
    (9,)
    >>> layout.views(theta)["bias"][:] = 4.0
    >>> theta[6:]
    array([4. , 4. , 0.5])
    """

    def __init__(self, shapes, column_major=()):
        self._column_major = frozenset(column_major)
        self._shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self._slices = {}
        start = 0
        for name, shape in self._shapes.items():
            self._slices[name] = slice(start, start + math.prod(shape))
            start += math.prod(shape)
        self.size = start

    def __getitem__(self, name):
        return self._shapes[name]

    def __iter__(self):
        return iter(self._shapes)

    def __len__(self):
        return len(self._shapes)

    def __add__(self, other):
        """The layout of this vector followed by the other."""
        if shared := self.keys() & other.keys():
            raise ValueError(f"Both layouts name the parameters {sorted(shared)}.")
        return ParameterLayout(
            {**self._shapes, **other._shapes}, self._column_major | other._column_major
        )

    def __repr__(self):
        return f"ParameterLayout({self._shapes})"

    def views(self, theta):
        """Shaped views into `theta`, by name; writing to one writes to `theta`."""
        if theta.shape != (self.size,):
            raise ValueError(
                f"Expected a parameter vector of shape ({self.size},), got {theta.shape}."
            )
        views = {
            name: theta[self._slices[name]].reshape(shape) for name, shape in self._shapes.items()
        }
        for name in self._column_major:
            views[name] = theta[self._slices[name]].reshape(self._shapes[name][::-1]).T
        return views

    def pack(self, *, dtype=np.float64, **values):
        """A new flat vector that holds `values`, one for each parameter."""
        if values.keys() != self._shapes.keys():
            raise ValueError(f"Expected values for {list(self)}, got {list(values)}.")
        theta = np.empty(self.size, dtype=dtype)
        for name, view in self.views(theta).items():
            view[...] = values[name]
        return theta
