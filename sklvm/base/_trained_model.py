"""What the estimators share that learn by gradients."""

from numbers import Integral, Real

from sklvm._compat import Interval, StrOptions
from sklvm.base._estimators import DensityModel, LatentVariableModel
from sklvm.base._iterative_model import IterativeModel
from sklvm.base._random_state import generator_from
from sklvm.optimizers import LBFGS, OPTIMIZERS, StochasticOptimizer
from sklvm.settings import resolve
from sklvm.training import (
    Training,
    check_compatible,
    check_complete,
    check_streamable,
    starting_rows,
)
from sklvm.training.links import WeightDecay

__all__ = ["TrainedLatentVariableModel", "TrainedModel"]


class TrainedModel(IterativeModel, DensityModel):
    """Base of the densities that learn by gradients: energy × objective × optimiser.

    A subclass gives ``_make_model(X)`` (the energy and the objective, checked),
    ``_model_attributes(energy, theta)`` (fitted attributes by name), its parameters and its
    docstring. It may add to the ``_links`` that a step passes through, hold rows out by
    ``_holds_out``, and refuse what does not go together in ``_check_model`` (with that of
    ``super()``); see ``IterativeModel`` for what else it may say.
    """

    _shorthands = {"optimizer": OPTIMIZERS}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), StochasticOptimizer, LBFGS],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    }

    # -- fitting ----------------------------------------------------------------------------------

    def _start(self, X, weights):
        owner = type(self).__name__
        optimizer = resolve(self.optimizer, self._shorthands["optimizer"], "optimizer", owner)
        energy, objective = self._make_model(X)
        self._check_model(energy, objective)
        links = self._links(energy, objective, optimizer)
        check_compatible(objective, optimizer, links)
        check_complete(optimizer, X)
        if self.early_stopping and not objective.has_value:
            raise ValueError(
                f"early_stopping=True watches the criterion on held-out rows, and "
                f"{type(objective).__name__} has no value to watch."
            )
        rng = generator_from(self.random_state)
        start = starting_rows(X, weights, rng)
        return Training(energy, objective, optimizer, *start, rng, links=links)

    def _continue(self, learner, X, weights):
        check_complete(learner.optimizer, X)
        return learner

    def _check_stream(self, learner):
        check_streamable(learner.optimizer)

    def _stopping_rule(self, X, weights):
        return self.tol, self.n_iter_no_change

    def _held_out_fraction(self):
        return self.validation_fraction if self._holds_out() else 0

    def _validates(self):
        return self.early_stopping

    # -- fitted attributes ------------------------------------------------------------------------

    def _fitted_attributes(self, learner):
        return {
            **super()._fitted_attributes(learner),
            "n_features_in_": learner.energy.n_features,
            **self._model_attributes(learner.energy, learner.energy_theta),
        }

    # -- what a subclass may add ------------------------------------------------------------------

    def _links(self, energy, objective, optimizer):
        """What a step of training passes through, in this order."""
        layout = energy.layout + objective.own_layout(energy)
        return [WeightDecay(self.weight_decay, layout)] if self.weight_decay else []

    def _holds_out(self):
        """Whether ``validation_fraction`` of the rows is set aside."""
        return self.early_stopping

    def _check_model(self, energy, objective):
        """Raise a ``ValueError`` where parameters ask for what the model cannot give.

        Before any work; a subclass calls that of ``super()``.
        """


class TrainedLatentVariableModel(TrainedModel, LatentVariableModel):
    """Base of those whose energy has ``n_components`` latent variables, or may have none."""

    def _has_latent_variables(self):
        if self.__sklearn_is_fitted__():
            return getattr(self._training.energy, "n_components", 0) > 0
        return self.n_components != 0

    @property
    def _n_features_out(self):
        return self._training.energy.n_components
