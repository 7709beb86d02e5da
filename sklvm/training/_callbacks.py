"""scikit-learn's callbacks around the epochs of a fit."""

from sklvm._compat import callback_context

__all__ = ["EpochCallbacks", "NoCallbacks"]


class EpochCallbacks:
    """Tells the callbacks of an estimator how far its fit has come, if it has any.

    Parameters
    ----------
    estimator : estimator
        An estimator with ``CallbackSupportMixin``, whose ``fit`` is decorated by ``_fit_context``;
        the decorator closes the context of the callbacks.
    X, y : ndarray
        The training data and the y that ``fit`` was given, which scorers ask for.
    max_iter : int
    fitted_attributes : callable
        () → dict of the attributes with which a copy of the estimator would be fitted right now.
    """

    def __init__(self, estimator, X, y, max_iter, fitted_attributes):
        self._estimator, self._fitted_attributes = estimator, fitted_attributes
        self._data = {"X": X, "y": y}
        self._context = callback_context(estimator, max_iter)
        self._context.call_on_fit_task_begin(estimator=estimator, **self._data)
        self._epoch = None

    def begin_epoch(self):
        self._epoch = self._context.subcontext("epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end_epoch(self):
        """True where a callback asks to stop."""
        epoch, self._epoch = self._epoch, None
        return epoch.call_on_fit_task_end(
            estimator=self._estimator,
            **self._data,
            reconstruction_attributes=self._fitted_attributes,
        )

    def end(self):
        self._context.call_on_fit_task_end(
            estimator=self._estimator,
            **self._data,
            reconstruction_attributes=self._fitted_attributes,
        )


class NoCallbacks:
    """Stands in for callbacks where there are none."""

    def begin_epoch(self):
        pass

    def end_epoch(self):
        return False

    def end(self):
        pass
