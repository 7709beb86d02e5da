"""What the estimators share that the one training loop fits."""

import copy
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from sklvm._compat import Interval, StrOptions, _check_sample_weight, _fit_context
from sklvm.base._estimators import LatentVariableModel
from sklvm.base._random_state import generator_from
from sklvm.optimizers import LBFGS, OPTIMIZERS, StochasticOptimizer
from sklvm.settings import resolve
from sklvm.training import (
    EpochCallbacks,
    Monitor,
    Training,
    check_compatible,
    check_complete,
    check_streamable,
    run_epochs,
    run_stream,
    split_rows,
    starting_rows,
)

__all__ = ["TrainedModel"]


class TrainedModel(LatentVariableModel):
    """Base of the latent-variable models that the one training loop fits.

    A subclass gives ``_make_model(X)`` (the energy and the objective, checked),
    ``_model_attributes(energy, theta)`` (fitted attributes by name), its parameters and its
    docstring. It may say in ``_validation`` what other data than dense finite ones it takes, hand
    options to ``Training`` by ``_training_options()``, watch the epochs by ``_holds_out`` and
    ``_diagnosis``, and do its own at four points of a fit: ``_check_parameters``, ``_forget``,
    ``_begin_stream`` and ``_end_fit``.
    """

    _validation: dict = {}
    _shorthands = {"optimizer": OPTIMIZERS}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), StochasticOptimizer, LBFGS],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # -- fitting ----------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model to X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the criterion.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For bad data or parameters, and where the objective does not fit the model.
        DivergenceError
            Where training left the finite numbers; the last finite parameters are kept.
        """
        self._check_parameters()
        is_continued = self.warm_start and hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=not is_continued)
        training = self._training if is_continued else self._start(X, weights)
        check_complete(training.optimizer, X)
        rows, held_out = split_rows(
            len(weights),
            self.validation_fraction if self._holds_out() else 0,
            training.shuffle_rng,
        )
        diagnose = self._diagnosis(training, X, weights, rows, held_out)
        self._forget()
        self._training = training
        monitor = Monitor(
            tol=self.tol,
            patience=self.n_iter_no_change,
            verbose=self.verbose,
            owner=type(self).__name__,
            max_iter=self.max_iter,
        )
        callbacks = EpochCallbacks(
            self, X, y, self.max_iter, lambda: self._fitted_attributes(copy.deepcopy(training))
        )
        try:
            run_epochs(
                training,
                X,
                weights,
                monitor,
                callbacks,
                rows=rows,
                validation_rows=held_out if self.early_stopping else None,
                max_iter=self.max_iter,
                batch_size=self.batch_size,
                shuffle=self.shuffle,
                diagnose=diagnose,
            )
        finally:
            self.history_ = monitor.history()
            self.n_iter_ = len(monitor.records)
            self._publish()
        self._warn_unconverged(monitor)
        self._end_fit(X, weights)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train on the rows of X once, in their order and in batches of ``batch_size``.

        From the same start and over the same batches it does what ``fit`` does. Where there is a
        ``log_partition_``, it becomes stale and is deleted: call ``estimate_log_partition`` before
        ``score_samples``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The next chunk of data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows in the criterion.

        Returns
        -------
        self : object
            The estimator.
        """
        is_first = not hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=is_first)
        training = self._start(X, weights) if is_first else self._training
        check_streamable(training.optimizer)
        self._training = training
        if is_first:
            self._begin_stream(X, weights)
            self.history_, self.n_iter_ = {}, 0
        try:
            values = run_stream(training, X, weights, batch_size=self.batch_size)
        finally:
            self._forget()
            self._publish()
        self.n_iter_ += 1
        for name, value in values.items():
            if not np.isnan(value):
                self.history_[name] = np.append(self.history_.get(name, []), value)
        return self

    def _check_data(self, X, sample_weight, *, reset):
        X = self._check_X(X, reset=reset, ensure_min_samples=2)
        if sample_weight is None:
            return X, np.ones(X.shape[0], dtype=X.dtype)
        weights = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True, copy=True
        )
        positive = weights > 0
        if positive.sum() < 2:
            raise ValueError(
                f"sample_weight has {positive.sum()} positive entries; at least 2 are needed."
            )
        return (X, weights) if positive.all() else (X[positive], weights[positive])

    def _start(self, X, weights):
        """A fresh ``Training``, once all that can be wrong with the parameters is checked."""
        owner = type(self).__name__
        optimizer = resolve(self.optimizer, self._shorthands["optimizer"], "optimizer", owner)
        energy, objective = self._make_model(X)
        check_compatible(objective, optimizer)
        if self.early_stopping and not objective.has_value:
            raise ValueError(
                f"early_stopping=True watches the criterion on held-out rows, and "
                f"{type(objective).__name__} has no value to watch."
            )
        rng = generator_from(self.random_state)
        start = starting_rows(X, weights, rng)
        return Training(energy, objective, optimizer, *start, rng, **self._training_options())

    def _warn_unconverged(self, monitor):
        training = self._training
        if training.optimizer.full_batch:
            unconverged = not (monitor.converged or getattr(training, "optimizer_converged", True))
        else:
            unconverged = self.tol > 0 and not monitor.converged
        if unconverged and not monitor.was_interrupted and self.max_iter > 0:
            warnings.warn(
                f"{type(self).__name__} did not converge in max_iter={self.max_iter} iterations. "
                "Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )

    # -- fitted attributes ------------------------------------------------------------------------

    def _fitted_attributes(self, training):
        return {
            "_training": training,
            "n_features_in_": training.energy.n_features,
            **self._model_attributes(training.energy, training.energy_theta),
        }

    def _publish(self):
        for name, value in self._fitted_attributes(self._training).items():
            setattr(self, name, value)

    @property
    def _n_features_out(self):
        return self._training.energy.n_components

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_training")

    # -- what a subclass may add ------------------------------------------------------------------

    def _training_options(self):
        """Keyword arguments of ``Training``."""
        return {}

    def _holds_out(self):
        """Whether ``validation_fraction`` of the rows is set aside."""
        return self.early_stopping

    def _diagnosis(self, training, X, weights, rows, held_out):
        """A function () → what else ``history_`` is to hold of an epoch, floats by name."""
        return dict

    def _check_parameters(self):
        """Raise where parameters are wrong whatever the data are; before any work."""

    def _forget(self):
        """Delete what does not hold for other parameters θ."""

    def _begin_stream(self, X, weights):
        """What else is to be known of the first chunk of a stream."""

    def _end_fit(self, X, weights):
        """What else is to be known of the data and the fitted model."""

    def _check_X(self, X, *, reset=False, **options):
        options = {**self._validation, **options}
        return validate_data(
            self, X, dtype=[np.float64, np.float32], order="C", reset=reset, **options
        )
