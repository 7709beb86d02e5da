"""All parameters of a model in one flat vector, with named and shaped views into it."""

import math
from collections.abc import Mapping

import numpy as np

__all__ = ["ParameterLayout", "Parameters"]


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
    decayed : iterable of str, default=()
        The weights: those that weight decay pulls towards 0.

    Attributes
    ----------
    size : int
        Length of the flat vector.
    decayed : tuple of str
        The weights, in the order in which they lie.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.layouts import ParameterLayout
    >>> layout = ParameterLayout({"weights": (2, 3), "bias": (2,), "log_scale": ()})
    >>> theta = layout.pack(weights=np.ones((2, 3)), bias=np.zeros(2), log_scale=0.5)
    >>> theta.shape
    (9,)
    >>> layout.views(theta)["bias"][:] = 4.0
    >>> theta[6:]
    array([4. , 4. , 0.5])
    """

    def __init__(self, shapes, column_major=(), decayed=()):
        self._column_major = frozenset(column_major)
        self.decayed = tuple(name for name in shapes if name in frozenset(decayed))
        self._shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self._slices = {}
        start = 0
        for name, shape in self._shapes.items():
            self._slices[name] = slice(start, start + math.prod(shape))
            start += math.prod(shape)
        self.size = start
        # As they lie in memory: what is column-major lies there as its transpose.
        self._places = [
            (name, self._slices[name], shape[::-1], True)
            if name in self._column_major
            else (name, self._slices[name], shape, False)
            for name, shape in self._shapes.items()
        ]

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
            {**self._shapes, **other._shapes},
            self._column_major | other._column_major,
            self.decayed + other.decayed,
        )

    def __repr__(self):
        return f"ParameterLayout({self._shapes})"

    def prefixed(self, prefix):
        """The same layout, memory order included, each name with `prefix` before it."""
        return ParameterLayout(
            {prefix + name: shape for name, shape in self._shapes.items()},
            {prefix + name for name in self._column_major},
            [prefix + name for name in self.decayed],
        )

    def part(self, theta, prefix):
        """The stretch of `theta` that holds the parameters of a layout nested under `prefix`."""
        slices = [self._slices[name] for name in self._shapes if name.startswith(prefix)]
        return theta[slices[0].start : slices[-1].stop] if slices else theta[:0]

    def views(self, theta):
        """Shaped views into `theta`, by name; writing to one writes to `theta`."""
        if theta.shape != (self.size,):
            raise ValueError(
                f"Expected a parameter vector of shape ({self.size},), got {theta.shape}."
            )
        return {
            name: theta[part].reshape(shape).T if is_turned else theta[part].reshape(shape)
            for name, part, shape, is_turned in self._places
        }

    def pack(self, *, dtype=np.float64, **values):
        """A new flat vector that holds `values`, one for each parameter."""
        if values.keys() != self._shapes.keys():
            raise ValueError(f"Expected values for {list(self)}, got {list(values)}.")
        theta = np.empty(self.size, dtype=dtype)
        for name, view in self.views(theta).items():
            view[...] = values[name]
        return theta


_NOTHING = ParameterLayout({})


class Parameters:
    """θ as a training criterion sees it: the energy's part, and what the criterion learns itself.

    Both are views into the one vector that the optimiser sees: writing to a part writes to it.
    Gradients come in the same form.

    Parameters
    ----------
    vector : ndarray
        The energy's parameters, then the criterion's own.
    own_layout : ParameterLayout, default=ParameterLayout({})
        Of the criterion's own.

    Attributes
    ----------
    vector : ndarray
        All of θ.
    energy : ndarray
        The energy's parameters, flat.
    own : dict of str to ndarray
        The criterion's own, by name.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.layouts import ParameterLayout, Parameters
    >>> theta = Parameters(np.arange(5.0), ParameterLayout({"log_partition": ()}))
    >>> theta.energy
    array([0., 1., 2., 3.])
    >>> theta.own["log_partition"]
    array(4.)
    >>> theta.like(np.ones(4), log_partition=2.0).vector
    array([1., 1., 1., 1., 2.])
    """

    def __init__(self, vector, own_layout=_NOTHING):
        size = vector.size - own_layout.size
        self.vector, self.energy = vector, vector[:size]
        self._own_vector, self._own_layout = vector[size:], own_layout

    @property
    def own(self):
        return self._own_layout.views(self._own_vector)

    def own_part(self, prefix):
        """The flat vector of those own parameters that lie in a layout nested under `prefix`."""
        return self._own_layout.part(self._own_vector, prefix)

    def empty_like(self):
        """Parameters of the same form, their values still to be written."""
        return Parameters(np.empty_like(self.vector), self._own_layout)

    def like(self, energy, **own):
        """Parameters of the same form: the energy's part, and the own ones by name.

        Without own parameters `energy` is taken as it is, and not copied.
        """
        if not self._own_layout:
            return Parameters(energy)
        result = self.empty_like()
        result.energy[...] = energy
        for name, view in result.own.items():
            view[...] = own[name]
        return result
