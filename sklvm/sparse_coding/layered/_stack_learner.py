"""What estimators share that learn one layer after the other."""

from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval
from sklvm.base import IterativeModel, generator_from
from sklvm.rows import slices
from sklvm.sparse_coding.dictionaries import ComposedDictionary
from sklvm.sparse_coding.layered._greedy_layers import GreedyOptions
from sklvm.sparse_coding.layered._layered_coding import LayeredCodingOptions
from sklvm.sparse_coding.layered._layered_model import LayeredModel
from sklvm.sparse_coding.layered._stack_training import StackTraining
from sklvm.training import Budget

__all__ = ["StackLearner"]

_ROWS_AT_A_TIME = 8192


class StackLearner(IterativeModel, LayeredModel):
    """Base of the estimators that learn dictionaries layer by layer; see ``StackTraining``.

    A subclass gives ``_plans(X)``, the layers that are to be; ``_coding_method(params)``, by which
    method and solver rows are coded; and, if it has one, ``_refinement()``, which refines all
    layers after the last one.
    """

    _tol_names = ("code_tol", "code_max_iter")
    # Passes are over all rows, for each layer needs the codes of the one below.
    batch_size, shuffle = None, False
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "filter_shape": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "code_tol": [Interval(Real, 0, None, closed="left")],
        "code_max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def _plans(self, X):
        raise NotImplementedError

    def _coding_method(self, params):
        raise NotImplementedError

    def _refinement(self):
        return None

    def _check_streamable(self):
        raise AttributeError(
            f"{type(self).__name__} learns one layer after the other, each from the codes of all "
            "rows, and has no partial_fit."
        )

    def _settings(self, X):
        options = GreedyOptions(
            self.positive, self.code_tol, self.code_max_iter, self.n_jobs, X.dtype
        )
        return options, {
            "max_passes": self.max_iter,
            "tol": self.tol,
            "refinement": self._refinement(),
        }

    def _start(self, X, weights):
        plans = self._plans(X)
        options, settings = self._settings(X)
        return StackTraining(plans, options, generator_from(self.random_state), **settings)

    def _continue(self, learner, X, weights):
        plans = self._plans(X)
        if [p.shape for p in plans] != [p.shape for p in learner.plans]:
            raise ValueError(
                "warm_start=True goes on from layers of "
                f"{tuple(p.n_components for p in learner.plans)} components, which do not go with "
                f"n_components={self.n_components}, filter_shape={self.filter_shape}. Set "
                "warm_start=False to start anew."
            )
        plans = [
            plan._replace(alpha=before.alpha) if plan.alpha is None else plan
            for plan, before in zip(plans, learner.plans, strict=True)
        ]
        options, settings = self._settings(X)
        return learner.continued(plans, options, **settings)

    def _budget(self, learner, n_rows):
        return Budget(self.max_iter * learner.n_stages)

    def _stopping_rule(self, X, weights):
        """In parts of the objective of zero codes."""
        total = 0.0
        for rows in slices(len(X), _ROWS_AT_A_TIME):
            some = X[rows].astype(np.float64)
            total += float(weights[rows] @ np.einsum("ij,ij->i", some, some))
        return self.tol * 0.5 * total / float(weights.sum()), 1

    def _resources(self):
        return self._training.working()

    def _warn_unconverged(self, monitor):
        monitor.max_iter = self.max_iter  # of a layer
        super()._warn_unconverged(monitor)

    def _fitted_attributes(self, learner):
        attributes = super()._fitted_attributes(learner)
        if not learner.n_layers:
            return attributes
        params = vars(self).get("_fitted_params", vars(self))
        method, solver = self._coding_method(params)
        chain = ComposedDictionary(learner.dictionaries())
        options = LayeredCodingOptions(
            method,
            learner.alphas,
            learner.options.positive,
            None,
            None,
            solver,
            learner.options.tol,
            learner.options.max_iter,
            params["output"],
            learner.options.n_jobs,
        )
        return attributes | {
            "n_features_in_": chain.n_features,
            "components_": [D.astype(learner.options.dtype) for D in learner.components],
            "alphas_": learner.alphas,
            "_chain": chain,
            "_options": options,
        }
