"""Objectives, optimisers and budgets: small objects with parameters and a short name."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, clone

from sklvm._compat import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklvm.hints import did_you_mean, explains_unknown_names, instead_of_class

__all__ = [
    "InheritedTables",
    "Interval",
    "Settings",
    "StrOptions",
    "StringShorthandMixin",
    "is_same",
    "resolve",
]

TABLES = ("_parameter_constraints", "_shorthands", "_validation", "_value_hints")


class InheritedTables:
    """A class states its own entries of a table, and has those of all its bases as well.

    The tables are dicts: ``_parameter_constraints`` (parameter name → what it may be),
    ``_shorthands`` (parameter name → registry of short names), ``_validation`` (keyword of
    ``validate_data`` → value) and ``_value_hints`` (parameter name → value that is refused → what
    its error says besides). Of two bases with an entry, the first in the order of resolution gives
    it. A class that has an ``__init__`` keeps only the constraints of parameters in its signature,
    and its constructor explains keywords that it does not know.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._own_tables = {table: vars(cls).get(table, {}) for table in TABLES}
        for table in TABLES:
            merged = {}
            for base in reversed(cls.__mro__):
                own_tables = vars(base).get("_own_tables", vars(base))
                merged.update(own_tables.get(table, {}))
            setattr(cls, table, merged)
        explains_unknown_names(cls)
        if cls.__init__ is not object.__init__:
            parameters = inspect.signature(cls.__init__).parameters
            cls._parameter_constraints = {
                name: allowed
                for name, allowed in cls._parameter_constraints.items()
                if name in parameters
            }


class Settings(InheritedTables, BaseEstimator):
    """An object that is nothing but its parameters: it clones, and grids search over them."""

    _parameter_constraints: dict = {}

    def validate(self):
        """Raise ``InvalidParameterError`` (a ``ValueError``) for a parameter out of its range."""
        check_names(self)
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        return self


def resolve(value, registry, parameter, owner):
    """The validated settings object that `value` stands for.

    Parameters
    ----------
    value : str or Settings
        A key of `registry`, which stands for the default-constructed object, or the object itself.
    registry : dict of str to type
        The names that are understood.
    parameter, owner : str
        The parameter's name and the class it belongs to, for the error message.

    Raises
    ------
    ValueError
        For an unknown name, or an object whose own parameters are out of range.
    TypeError
        For a value that is neither.
    """
    if isinstance(value, str):
        if value not in registry:
            raise ValueError(
                f"The {parameter!r} parameter of {owner} must be one of {sorted(registry)} or an "
                f"object of that kind. Got {value!r} instead.{did_you_mean(value, registry)}"
            )
        return registry[value]().validate()
    if not isinstance(value, Settings):
        raise TypeError(
            f"The {parameter!r} parameter of {owner} must be one of {sorted(registry)} or an "
            f"object of that kind. Got {value!r} instead.{instead_of_class(value)}"
        )
    return clone(value).validate()


def check_names(owner, shorthands=None):
    """Raise an ``InvalidParameterError`` for a name that a parameter does not have.

    Its message has all names in order and the nearest one, and nothing of where classes are kept;
    whatever else is wrong is left to scikit-learn's own check.

    Parameters
    ----------
    owner : estimator or Settings
    shorthands : dict of str to dict, default=None
        Registries of short names, by parameter.
    """
    registries = shorthands or {}
    for parameter, allowed in owner._parameter_constraints.items():
        value = getattr(owner, parameter)
        names = {name for kind in allowed if isinstance(kind, StrOptions) for name in kind.options}
        if isinstance(value, str) and names and value not in names and str not in allowed:
            hints = getattr(owner, "_value_hints", {}).get(parameter, {})
            shown, hint = repr(value), hints.get(value, did_you_mean(value, names))
        elif isinstance(value, type) and parameter in registries:
            shown, hint = value.__name__, instead_of_class(value)
        else:
            continue
        known = f"one of {sorted(names)}" if names else "a name"
        objects = " or an object of that kind" if parameter in registries else ""
        raise InvalidParameterError(
            f"The {parameter!r} parameter of {type(owner).__name__} must be {known}{objects}. "
            f"Got {shown} instead.{hint}"
        )


class StringShorthandMixin(InheritedTables):
    """Lets ``set_params(objective__n_steps=5)`` reach into a parameter given by its short name.

    A class lists its shorthands in ``_shorthands``: parameter name → registry of short names.
    """

    _shorthands: dict = {}

    def _validate_params(self):
        check_names(self, self._shorthands)
        super()._validate_params()

    def set_params(self, **params):
        for name, registry in self._shorthands.items():
            value = params.get(name, getattr(self, name))
            is_nested = any(key.startswith(f"{name}__") for key in params)
            if is_nested and isinstance(value, str) and value in registry:
                params = {**params, name: registry[value]()}
        return super().set_params(**params)


def is_same(value, other, *, but=()):
    """Whether two parameter values are equal, entry by entry where they are objects or arrays.

    Parameters
    ----------
    value, other : object
    but : iterable of str, default=()
        Parameters of the two, or attributes, that are not compared.
    """
    if value is other:
        return True
    if type(value) is not type(other):
        return False
    if isinstance(value, np.ndarray):
        return value.shape == other.shape and bool(np.all(value == other))
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(is_same, value, other))
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(
            is_same(value[key], other[key]) for key in value.keys() - set(but)
        )
    if isinstance(value, BaseEstimator):
        ours, theirs = (each.get_params(deep=False) for each in (value, other))
        return is_same(ours, theirs, but=but)
    if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        return is_same(vars(value), vars(other), but=but)
    return bool(value == other)
