"""What estimators share that learn one layer after the other."""

from sklvm.base import generator_from
from sklvm.sparse_coding.dictionaries import ComposedDictionary
from sklvm.sparse_coding.layered._greedy_layers import GreedyOptions
from sklvm.sparse_coding.layered._layered_coding import LayeredCodingOptions
from sklvm.sparse_coding.layered._layered_model import LayeredModel
from sklvm.sparse_coding.layered._layerwise_fit import LayerwiseFit
from sklvm.sparse_coding.layered._stack_training import StackTraining

__all__ = ["StackLearner"]


class StackLearner(LayerwiseFit, LayeredModel):
    """Base of the estimators that learn dictionaries layer by layer; see ``StackTraining``.

    A subclass gives ``_plans(X)``, the layers that are to be; ``_coding_method(params)``, by which
    method and solver rows are coded; and, if it has one, ``_refinement()``, which refines all
    layers after the last one.
    """

    _tol_names = ("code_tol", "code_max_iter")

    def _plans(self, X):
        raise NotImplementedError

    def _coding_method(self, params):
        raise NotImplementedError

    def _refinement(self):
        return None

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
            "_chain": chain,
            "_options": options,
        }
