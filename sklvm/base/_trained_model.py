"""Bases of the estimators that learn by gradients."""

import copy
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base._diagnosing import diagnose_training
from sklvm.base._estimators import DensityModel, LatentVariableModel
from sklvm.base._iterative_model import IterativeModel
from sklvm.base._random_state import generator_from
from sklvm.base._row_blocks import map_row_blocks
from sklvm.optimizers import LBFGS, OPTIMIZERS, StochasticOptimizer
from sklvm.rows import as_dense, starting_rows
from sklvm.settings import is_same, resolve
from sklvm.training import AUTO_ITERATIONS, Budget, Training, check_compatible, check_complete
from sklvm.training.links import WeightDecay

__all__ = ["FittedEnergy", "TrainedLatentVariableModel", "TrainedModel"]


class FittedEnergy(NamedTuple):
    """The energy of a fitted model, and its parameters.

    Attributes
    ----------
    energy : energy
        E(x; θ), an object of ``sklvm.energies``, on which objectives and samplers work.
    theta : ndarray
        θ, a read-only vector; ``energy.layout.views(theta)`` gives its parts by name.
    """

    energy: object
    theta: np.ndarray


class TrainedModel(IterativeModel, DensityModel):
    """Base of the densities that learn by gradients: energy × objective × optimiser.

    A subclass implements ``_make_model(X)`` (the energy and the objective, checked) and
    ``_model_attributes(energy, theta)`` (the fitted attributes by name), and has its parameters and
    its docstring. It may extend ``_links`` (what a training step passes through), hold rows out by
    ``_holds_out``, and refuse bad combinations of parameters in ``_check_model``, calling
    ``super()``. ``IterativeModel`` lists what else it may override.
    """

    _shorthands = {"optimizer": OPTIMIZERS}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), StochasticOptimizer, LBFGS],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    }

    # -- fitting ----------------------------------------------------------------------------------

    def _start(self, X, weights):
        parts, links = self._checked_parts(X)
        rng = generator_from(self.random_state)
        return Training(*parts, *starting_rows(X, weights, rng), rng, links=links)

    def _continue(self, learner, X, weights):
        (energy, objective, optimizer), links = self._checked_parts(X)
        self._check_followed(learner, energy, objective, X)
        is_seed_kept = is_same(self.random_state, self._fitted_params["random_state"])
        return learner.continued(
            energy,
            objective,
            optimizer,
            links,
            lambda: starting_rows(X, weights, np.random.default_rng(learner.seed)),
            None if is_seed_kept else generator_from(self.random_state),
        )

    def _checked_parts(self, X):
        """Energy, objective and optimiser, and the links, once all that can be wrong is checked."""
        optimizer = self._resolved_optimizer()
        energy, objective = self._make_model(X)
        self._check_model(energy, objective)
        links = self._links(energy, objective, optimizer)
        check_compatible(objective, optimizer, links)
        check_complete(optimizer, X)
        if self.early_stopping and not objective.has_value:
            raise ValueError(
                f"early_stopping=True watches the criterion on held-out rows, and "
                f"{type(objective).__name__} has no value to watch. {self._what_to_watch()}"
            )
        return (energy, objective, optimizer), links

    def _resolved_optimizer(self):
        owner = type(self).__name__
        return resolve(self.optimizer, self._shorthands["optimizer"], "optimizer", owner)

    def _check_followed(self, learner, energy, objective, X):
        """Raise a ``ValueError`` where parameters have changed that θ cannot follow."""
        if _can_follow(learner, energy, objective):
            return
        changed = [
            name
            for name, before in self._fitted_params.items()
            if not is_same(getattr(self, name), before)
        ]
        culprits = [name for name in changed if not self._could_follow(learner, name, X)]
        changes = " and of ".join(
            f"{name} from {self._fitted_params[name]!r} to {getattr(self, name)!r}"
            for name in culprits or changed
        )
        raise ValueError(
            f"warm_start=True goes on from the fitted parameters, and they cannot follow the "
            f"change of {changes}. Set warm_start=False, or undo the change."
        )

    def _could_follow(self, learner, name, X):
        """Whether θ could follow if the parameter `name` were the only one that has changed."""
        probe = copy.copy(self)
        vars(probe).update(self._fitted_params)
        setattr(probe, name, getattr(self, name))
        return _can_follow(learner, *probe._make_model(X))

    def _by_rows(self, function, X, *, width=1):
        """``function(energy, theta, rows)`` for all rows of X, a few dense rows at a time.

        `width` is the width of the widest array in the function, if it exceeds that of all layers.
        """
        check_is_fitted(self)
        X = self._check_X(X)
        energy, theta = self._training.energy, self._training.energy_theta
        return map_row_blocks(
            lambda rows: function(energy, theta, as_dense(X[rows])),
            X.shape[0],
            max(width, X.shape[1], self._widest_layer()),
        )

    def _widest_layer(self):
        """The number of its units: no layer is wider than the widest array of parameters."""
        layout = self._training.layout
        return max(max(layout[name], default=1) for name in layout)

    def _check_streamable(self):
        if self._is_full_batch():
            raise AttributeError(
                "partial_fit takes one step a batch, and L-BFGS needs all rows at once. Use "
                "optimizer='adam' or 'sgd'."
            )
        return True

    def _is_full_batch(self):
        """Whether the optimiser (of the fit, if there is one) takes all rows at once."""
        optimizer = self._training.optimizer if self.__sklearn_is_fitted__() else self.optimizer
        return optimizer == "lbfgs" or isinstance(optimizer, LBFGS)

    def _budget(self, learner, n_rows):
        if self.max_iter != "auto":
            return super()._budget(learner, n_rows)
        if learner.drives_epochs:
            return Budget(AUTO_ITERATIONS)
        return Budget.auto(n_rows, batch_size=self.batch_size)

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

    @property
    def fitted_energy_(self):
        """The energy and its parameters θ, as ``energy`` and ``theta`` of a named tuple."""
        check_is_fitted(self)
        theta = self._training.energy_theta.view()
        theta.setflags(write=False)
        return FittedEnergy(self._training.energy, theta)

    # -- what a subclass may add ------------------------------------------------------------------

    def _links(self, energy, objective, optimizer):
        """The links that a training step passes through, in this order."""
        layout = energy.layout + objective.own_layout(energy)
        return [WeightDecay(self.weight_decay, layout)] if self.weight_decay else []

    def _diagnoses(self, monitor, X, weights):
        if not monitor.records:
            return {}
        return diagnose_training(self._training, X, self._convergence(monitor).get("convergence"))

    def _holds_out(self):
        """Whether ``validation_fraction`` of the rows is set aside."""
        return self.early_stopping

    def _what_to_watch(self):
        """What to do instead of early stopping by a criterion that has no value."""
        return "Use an objective that has one, such as 'nce', 'pseudo_likelihood' or 'mle'."

    def _check_model(self, energy, objective):
        """Raise a ``ValueError`` where parameters ask for what the model cannot give.

        Before any work; a subclass calls that of ``super()``.
        """


class TrainedLatentVariableModel(TrainedModel, LatentVariableModel):
    """Base of the trained models with ``n_components`` latent variables, which may be none."""

    def _has_latent_variables(self):
        if self.__sklearn_is_fitted__():
            return getattr(self._training.energy, "n_components", 0) > 0
        return self.n_components != 0

    @property
    def _n_features_out(self):
        return self._training.energy.n_components


def _can_follow(learner, energy, objective):
    """Whether a learner's θ fits this energy, and this objective where its class is the same."""
    if dict(energy.layout) != dict(learner.energy.layout):
        return False
    is_another = type(objective) is not type(learner.objective)
    return is_another or dict(objective.own_layout(energy)) == dict(learner.own_layout)
