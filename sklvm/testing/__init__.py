"""Reusable test cases for whoever adds an energy, an objective or an estimator.

Subclass one of the classes named ``...TestCase``, hand over one of its kind, and its checks are
inherited.
"""

from sklvm.testing._density_case import DensityTestCase
from sklvm.testing._dictionary_case import DictionaryTestCase
from sklvm.testing._energy_case import EnergyTestCase
from sklvm.testing._exact_distribution import ExactDistribution, binary_states
from sklvm.testing._finite_differences import (
    assert_is_gradient,
    numerical_gradient,
    numerical_jacobian,
)
from sklvm.testing._flat_objective import FlatObjective
from sklvm.testing._given_inputs import given_inputs
from sklvm.testing._models import random_parameters, small_models
from sklvm.testing._objective_case import ObjectiveTestCase
from sklvm.testing._posterior_case import PosteriorTestCase
from sklvm.testing._statistics_case import StatisticsTestCase

__all__ = [
    "DensityTestCase",
    "DictionaryTestCase",
    "EnergyTestCase",
    "ExactDistribution",
    "FlatObjective",
    "ObjectiveTestCase",
    "PosteriorTestCase",
    "StatisticsTestCase",
    "assert_is_gradient",
    "binary_states",
    "given_inputs",
    "numerical_gradient",
    "numerical_jacobian",
    "random_parameters",
    "small_models",
]
