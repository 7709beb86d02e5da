"""scikit-learn's callbacks around the epochs of a fit."""

__all__ = ["EpochCallbacks"]


class EpochCallbacks:
    """Tells an estimator's callbacks where its fit is; does nothing where none are set.

    Parameters
    ----------
    estimator : estimator
        With ``CallbackSupportMixin``; its ``fit`` is decorated by ``_fit_context``, which tears down.
    X : ndarray
        The training data.
    max_iter : int
    fitted_attributes : callable
        () → dict of the attributes with which a copy of the estimator would be fitted right now.
    """

    def __init__(self, estimator, X, max_iter, fitted_attributes):
        self._estimator, self._X, self._fitted_attributes = estimator, X, fitted_attributes
        self._context = estimator._init_callback_context(max_subtasks=max_iter)
        self._context.call_on_fit_task_begin(estimator=estimator, X=X)
        self._epoch = None

    def begin_epoch(self):
        self._epoch = self._context.subcontext("epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, X=self._X)

    def end_epoch(self):
        """True where a callback asks to stop."""
        epoch, self._epoch = self._epoch, None
        return epoch.call_on_fit_task_end(
            estimator=self._estimator,
            X=self._X,
            reconstruction_attributes=self._fitted_attributes,
        )

    def end(self):
        self._context.call_on_fit_task_end(
            estimator=self._estimator,
            X=self._X,
            reconstruction_attributes=self._fitted_attributes,
        )
