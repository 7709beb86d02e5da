"""What the energy-based estimators share: fit, partial_fit, scores and log Z."""

import copy
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from sklvm._compat import Interval, StrOptions, _check_sample_weight, _fit_context
from sklvm.base import LatentVariableModel
from sklvm.energy_based._normalization import NormalizedScoreMixin, generator_from
from sklvm.objectives import OBJECTIVES, Objective, check_capabilities
from sklvm.optimizers import LBFGS, OPTIMIZERS, StochasticOptimizer
from sklvm.parameter_objects import resolve
from sklvm.partition import AnnealedImportanceSampling, fit_reference
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

__all__ = ["EnergyBasedModel"]

BUDGETS = {"auto": AnnealedImportanceSampling, "ais": AnnealedImportanceSampling}


class EnergyBasedModel(NormalizedScoreMixin, LatentVariableModel):
    """Base of the estimators whose density is exp(−E(x; θ))/Z(θ).

    A subclass gives ``_make_energy(n_features)``, ``_model_attributes(energy, theta)`` (fitted
    attributes by name), its parameters and its docstring. It may say in ``_validation`` what other
    data than dense finite ones it takes, and hand options to ``Training`` by
    ``_training_options()``.
    """

    _validation: dict = {}
    _shorthands = {"objective": OBJECTIVES, "optimizer": OPTIMIZERS, "partition": BUDGETS}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "objective": [StrOptions(set(OBJECTIVES)), Objective],
        "optimizer": [StrOptions(set(OPTIMIZERS)), StochasticOptimizer, LBFGS],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "partition": [StrOptions({"auto", "exact", "ais", "none"}), AnnealedImportanceSampling],
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
        self._partition_method_and_budget()
        is_continued = self.warm_start and hasattr(self, "_training")
        X, weights = self._check_data(X, sample_weight, reset=not is_continued)
        training = self._training if is_continued else self._start(X, weights)
        check_complete(training.optimizer, X)
        rows, validation_rows = split_rows(
            len(weights),
            self.validation_fraction if self.early_stopping else 0,
            training.shuffle_rng,
        )
        self._forget_log_partition()
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
                validation_rows=validation_rows,
                max_iter=self.max_iter,
                batch_size=self.batch_size,
                shuffle=self.shuffle,
            )
        finally:
            self.history_ = monitor.history()
            self.n_iter_ = len(monitor.records)
            self._publish()
        self._warn_unconverged(monitor)
        self._reference = fit_reference(training.energy, *starting_rows(X, weights, training.rng))
        if self.partition != "none":
            self._estimate_log_partition(X.shape[0] * X.shape[1], training.rng)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train on the rows of X once, in their order and in batches of ``batch_size``.

        From the same start and over the same batches it does what ``fit`` does. ``log_partition_``
        becomes stale and is deleted: call ``estimate_log_partition`` before ``score_samples``.

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
            self._reference = fit_reference(
                training.energy, *starting_rows(X, weights, training.rng)
            )
            self.history_, self.n_iter_ = {}, 0
        try:
            values = run_stream(training, X, weights, batch_size=self.batch_size)
        finally:
            self._forget_log_partition()
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
        objective = resolve(self.objective, OBJECTIVES, "objective", owner)
        optimizer = resolve(self.optimizer, self._shorthands["optimizer"], "optimizer", owner)
        energy = self._make_energy(X.shape[1])
        check_capabilities(objective, energy, OBJECTIVES, owner)
        check_compatible(objective, optimizer)
        if self.early_stopping and not objective.has_value:
            raise ValueError(
                f"early_stopping=True watches the criterion on held-out rows, and "
                f"{type(objective).__name__} has no value to watch."
            )
        rng = generator_from(self.random_state)
        start = starting_rows(X, weights, rng)
        return Training(energy, objective, optimizer, *start, rng, **self._training_options())

    def _training_options(self):
        return {}

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

    # -- using the model --------------------------------------------------------------------------

    def transform(self, X):
        """Posterior means of the hidden units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(z_k = 1 | x).
        """
        check_is_fitted(self)
        X = self._check_X(X)
        return self._training.energy.posterior(self._training.energy_theta, X)

    def energy(self, X):
        """E(x; θ) = −log p̃(x), in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            The energies; lower is more probable.
        """
        check_is_fitted(self)
        X = self._check_X(X)
        return self._training.energy.evaluate(self._training.energy_theta, X)[0]

    def _check_X(self, X, *, reset=False, **options):
        options = {**self._validation, **options}
        return validate_data(
            self, X, dtype=[np.float64, np.float32], order="C", reset=reset, **options
        )
