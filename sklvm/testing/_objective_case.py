"""All checks of an objective, to be inherited."""

import copy
import pickle
import unittest

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklvm.layouts import ParameterLayout, Parameters
from sklvm.objectives import OBJECTIVES, check_capabilities, suitable_objectives
from sklvm.testing._finite_differences import assert_is_gradient
from sklvm.testing._models import small_models
from sklvm.testing._seeded import Seeded

__all__ = ["ObjectiveTestCase"]


class ObjectiveTestCase(Seeded):
    """What an objective inherits by handing over one instance.

    A subclass whose name starts with ``Test`` is collected by pytest. Every check is made with each
    small energy of the package that has the capabilities in ``requires``: gradients against finite
    differences of the value with the noise held fixed, weights of rows, dtypes, purity, pickling,
    and the error for an energy that does not fit.

    Examples
    --------
    >>> from sklvm.objectives import ScoreMatching
    >>> from sklvm.testing import ObjectiveTestCase
    >>> class TestScoreMatching(ObjectiveTestCase):
    ...     def make(self):
    ...         return ScoreMatching()
    >>> TestScoreMatching().test_the_gradient_is_that_of_the_value()
    """

    # How many draws of the noise the checks of expectations take.
    n_repetitions = 60

    def make(self):
        """The objective under test; the one method that a subclass has to give."""
        raise NotImplementedError

    def models(self):
        """Energies to try it on, ``small_models()`` that fit: name → (energy, theta, X)."""
        objective = self.make()
        return {name: model for name, model in small_models().items() if _fits(objective, model[0])}

    # -- value and gradient -----------------------------------------------------------------------

    def test_some_energy_fits(self):
        assert self.models()

    def test_the_gradient_is_that_of_the_value(self):
        if not self.make().has_value:
            raise unittest.SkipTest("the objective has no value")
        for name, run in self.runs():
            value, gradient, _ = run.step(run.theta)
            assert isinstance(value, float), name
            assert_is_gradient(gradient, lambda t, run=run: run.step(t)[0], run.theta, run.layout)

    def test_there_is_a_value_where_it_says_so(self):
        for name, run in self.runs():
            value, gradient, _ = run.step(run.theta)
            assert (value is not None) == run.objective.has_value, name
            assert gradient.shape == run.theta.shape, name
            assert np.all(np.isfinite(gradient)), name

    # -- randomness and purity --------------------------------------------------------------------

    def test_a_step_repeats_itself_from_the_same_state_and_noise(self):
        for _, run in self.runs():
            first, again = run.step(run.theta), run.step(run.theta)
            assert first[0] == again[0]
            assert_array_equal(first[1], again[1])

    def test_a_deterministic_objective_has_no_noise(self):
        if not self.make().deterministic:
            raise unittest.SkipTest("the objective draws random numbers")
        for _, run in self.runs():
            assert_array_equal(run.step(run.theta, seed=1)[1], run.step(run.theta, seed=2)[1])

    def test_a_step_writes_to_none_of_its_arguments(self):
        for _, run in self.runs():
            for array in (run.theta, run.X, run.weights):
                array.setflags(write=False)
            run.step(run.theta)

    def test_the_state_pickles(self):
        for _, run in self.runs():
            _, _, state = run.step(run.theta)
            expected = run.step(run.theta, state=state)[1]
            actual = run.step(run.theta, state=pickle.loads(pickle.dumps(state)))[1]
            assert_array_equal(actual, expected)

    # -- weights of rows --------------------------------------------------------------------------

    def test_value_and_gradient_are_linear_in_the_weights(self):
        for name, run in self.runs():
            if not run.is_free_of_noise():
                raise unittest.SkipTest("a row's noise is not the same in another batch")
            value, gradient, _ = run.step(run.theta)
            rows = [run.rows([i], np.ones(1)).step(run.theta) for i in range(len(run.X))]
            mean = run.weights @ [row[0] for row in rows]
            mean_gradient = run.weights @ [row[1] for row in rows]
            assert_allclose(value, mean, rtol=1e-9, err_msg=name)
            atol = 1e-10 * np.abs(gradient).max()
            assert_allclose(gradient, mean_gradient, rtol=1e-9, atol=atol, err_msg=name)

    def test_a_weight_of_zero_removes_the_row_in_expectation(self):
        for name, run in self.runs():
            kept = np.arange(len(run.X)) % 3 > 0
            counts = np.where(kept, run.counts, 0)
            self._assert_same_in_expectation(
                run.rows(slice(None), counts), run.rows(kept, counts[kept]), name
            )

    def test_a_weight_of_two_repeats_the_row_in_expectation(self):
        for name, run in self.runs():
            n = len(run.X)
            counts = 1 + np.arange(n) % 2
            repeated = np.repeat(np.arange(n), counts)
            self._assert_same_in_expectation(
                run.rows(slice(None), counts.astype(float)),
                run.rows(repeated, np.ones(len(repeated))),
                name,
            )

    def _assert_same_in_expectation(self, run, other, name):
        n = 1 if run.is_free_of_noise() else self.n_repetitions
        ours = np.array([run.restart(seed).step(run.theta, seed=seed)[1] for seed in range(n)])
        theirs = np.array(
            [other.restart(n + seed).step(run.theta, seed=n + seed)[1] for seed in range(n)]
        )
        difference = ours.mean(axis=0) - theirs.mean(axis=0)
        deviation = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / n)
        assert np.all(np.abs(difference) <= 5 * deviation + 1e-10 * np.abs(ours).max()), name

    # -- arrays and parameters --------------------------------------------------------------------

    def test_float32_stays_float32_and_float64_stays_float64(self):
        for name, model in self.models().items():
            for dtype in (np.float32, np.float64):
                run = _Run(self.make(), *model, self.seed, dtype)
                value, gradient, state = run.step(run.theta)
                assert run.theta.dtype == dtype, name
                assert gradient.dtype == dtype, name
                assert value is None or isinstance(value, float), name
                assert run.step(run.theta, state=state)[1].dtype == dtype, name

    def test_it_clones_with_its_parameters(self):
        objective = self.make().validate()
        assert repr(clone(objective)) == repr(objective)

    def test_an_energy_that_does_not_fit_is_told_which_objectives_do(self):
        objective = self.make()
        energies = [_EnergyWithoutCapabilities(), *(model[0] for model in small_models().values())]
        for energy in energies:
            if _fits(objective, energy):
                check_capabilities(objective, energy, OBJECTIVES, "SomeModel")
                continue
            try:
                check_capabilities(objective, energy, OBJECTIVES, "SomeModel")
            except ValueError as error:
                assert type(objective).__name__ in str(error)
                assert all(name in str(error) for name in suitable_objectives(energy, OBJECTIVES))
            else:
                raise AssertionError(f"{objective} was let through for {energy}")

    def runs(self):
        """(name, run) for each energy that fits, ready to step."""
        return [
            (name, _Run(self.make(), *model, self.seed)) for name, model in self.models().items()
        ]


def _fits(objective, energy):
    """Whether the energy has what the objective requires, and may be conditional if it is."""
    is_conditional = getattr(energy, "n_inputs", 0) > 0
    return all(isinstance(energy, protocol) for protocol in objective.requires) and not (
        is_conditional and objective.conditional_obstacle(energy)
    )


class _Run:
    """An objective set up on an energy and rows that count once, twice and three times.

    Parameters and gradients are flat vectors here.
    """

    def __init__(self, objective, energy, theta, X, seed, dtype=np.float64):
        self.objective, self.energy = objective, energy
        self.X, self.counts = X.astype(dtype), (1 + np.arange(len(X)) % 3).astype(dtype)
        self._energy_theta = theta.astype(dtype)
        self._own_layout = objective.own_layout(energy)
        self.layout = energy.layout + self._own_layout
        self._start(seed)

    def _start(self, seed):
        own = np.zeros(self._own_layout.size, dtype=self._energy_theta.dtype)
        start = Parameters(np.concatenate([self._energy_theta, own]), self._own_layout)
        self.weights = self.counts / self.counts.sum()
        self.state = self.objective.init(
            self.energy, start, self.X, self.counts, np.random.default_rng(seed)
        )
        self.theta = start.vector

    def step(self, theta, *, seed=0, state=None):
        """One step with the noise of `seed`, from a copy of the state."""
        state = copy.deepcopy(self.state if state is None else state)
        value, gradient, state = self.objective.step(
            self.energy,
            Parameters(theta, self._own_layout),
            self.X,
            self.weights,
            state,
            np.random.default_rng(seed),
        )
        return value, gradient.vector, state

    def is_free_of_noise(self):
        """Whether neither the start nor the step depends on random numbers."""
        first, second = (self.restart(seed).step(self.theta, seed=seed)[1] for seed in (0, 1))
        return np.array_equal(first, second)

    def rows(self, rows, counts):
        """The same on some rows, with other counts."""
        other = copy.copy(self)
        other.X, other.counts, other.weights = self.X[rows], counts, counts / counts.sum()
        return other

    def restart(self, seed):
        """The same with its state made anew from the rows that it has."""
        other = copy.copy(self)
        other._start(seed)
        return other


class _EnergyWithoutCapabilities:
    n_features = 3
    layout = ParameterLayout({"weights": (3,)})

    def init_parameters(self, X, rng, sample_weight=None):
        return np.zeros(3, dtype=X.dtype)
