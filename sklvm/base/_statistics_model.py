"""Base of the estimators that learn by sufficient statistics."""

from numbers import Integral

from sklvm.base._iterative_model import IterativeModel

__all__ = ["StatisticsModel"]


class StatisticsModel(IterativeModel):
    """Base of the models that learn by expectation and maximisation.

    Its learner is a :class:`~sklvm.training.StatisticsTraining`; ``IterativeModel`` says what
    a subclass implements.
    """

    _parameter_constraints: dict = {
        "n_jobs": [Integral, None],
    }
    _validation = {"ensure_all_finite": "allow-nan"}
    _min_rows = {"fit": 2, "partial_fit": 1}

    def _resources(self):
        return self._training.working()

    def _report(self, monitor, X, weights):
        super()._report(monitor, X, weights)
        self._training.forget_rows()
