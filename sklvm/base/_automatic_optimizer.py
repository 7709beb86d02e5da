"""The optimiser that suits the criterion, and what only some optimisers allow."""

from functools import partial

from sklvm._compat import StrOptions
from sklvm.objectives import OBJECTIVES
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.settings import resolve
from sklvm.training.links import CompletedGaps

__all__ = ["AutomaticOptimizerMixin"]


# Relative to its value, by how much an iteration of L-BFGS lowers the criterion at least: what
# comes after is lost in the error of finite data.
_VALUE_TOL = 1e-7


_AUTO = partial(Adam, 0.01, schedule="linear", max_gradient_norm=10)


class AutomaticOptimizerMixin:
    """For densities of discrete units: ``optimizer="auto"`` is L-BFGS for deterministic criteria.

    For the others it is Adam, which also takes streams and missing entries: these are drawn, given
    the observed ones.
    """

    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": _AUTO}}
    _validation = {"ensure_all_finite": "allow-nan"}
    _parameter_constraints: dict = {
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
    }

    def _resolved_optimizer(self):
        if self.optimizer == "auto" and self._is_deterministic():
            return LBFGS(value_tol=_VALUE_TOL)
        return super()._resolved_optimizer()

    def _is_full_batch(self):
        if self.optimizer == "auto" and not self.__sklearn_is_fitted__():
            return self._is_deterministic()
        return super()._is_full_batch()

    def _is_deterministic(self):
        owner = type(self).__name__
        return resolve(self.objective, OBJECTIVES, "objective", owner).deterministic

    def _links(self, energy, objective, optimizer):
        links = super()._links(energy, objective, optimizer)
        # L-BFGS refuses missing entries.
        return links if optimizer.full_batch else [CompletedGaps(energy), *links]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = not self._is_full_batch()
        return tags
