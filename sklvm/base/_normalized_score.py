"""What an estimator with a density exp(−E)/Z does with log Z: estimate it, score by it, sample."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import StrOptions
from sklvm.base._random_state import generator_from
from sklvm.exceptions import MissingLogPartitionError
from sklvm.partition import (
    AnnealedImportanceSampling,
    anneal,
    annealing_path,
    fit_reference,
    log_partition,
)
from sklvm.training import starting_rows

__all__ = ["NormalizedScoreMixin"]

# Effective share of the chains below which log Z is reported with a warning, and the width of its
# bracket, in nats, above which it is.
TRUSTED_FRACTION = 0.05
TRUSTED_WIDTH = 2.0


class NormalizedScoreMixin:
    """Scores in nats and draws, for an estimator with a ``partition`` parameter.

    The estimator keeps its ``Training`` as ``_training`` and the annealing's start as
    ``_reference``, and has ``energy`` and ``_check_X``.
    """

    _shorthands = {
        "partition": {"auto": AnnealedImportanceSampling, "ais": AnnealedImportanceSampling}
    }
    _parameter_constraints: dict = {
        "partition": [StrOptions({"auto", "exact", "ais", "none"}), AnnealedImportanceSampling],
    }

    # -- at four points of a fit ------------------------------------------------------------------

    def _check_parameters(self):
        super()._check_parameters()
        self._partition_method_and_budget()

    def _forget(self):
        super()._forget()
        self._forget_log_partition()

    def _begin_stream(self, X, weights):
        super()._begin_stream(X, weights)
        self._fit_reference(X, weights, self._training.rng)

    def _end_fit(self, X, weights):
        super()._end_fit(X, weights)
        self._fit_reference(X, weights, self._training.rng)
        if self.partition != "none":
            self._estimate_log_partition(X.shape[0] * X.shape[1], self._training.rng)

    # -- log Z ------------------------------------------------------------------------------------

    @property
    def score_normalized_(self):
        """Whether ``score_samples`` is a log-density; False with ``partition="none"``."""
        return self.partition != "none" or hasattr(self, "log_partition_")

    def estimate_log_partition(self, X=None, *, random_state=None):
        """Estimate log Z of the current parameters, with the budget that ``partition`` sets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Data to fit the annealing's reference to; None: that of ``fit``, or of the first chunk.
        random_state : int, RandomState instance or None, default=None
            None: the estimator's own stream of random numbers goes on.

        Returns
        -------
        self : object
            With ``log_partition_``, ``log_partition_std_err_``,
            ``log_partition_effective_sample_size_`` and ``log_partition_bracket_``.
        """
        check_is_fitted(self)
        rng = self._training.rng if random_state is None else generator_from(random_state)
        n_entries = None
        if X is not None:
            X = self._check_X(X)
            self._fit_reference(X, np.ones(X.shape[0]), rng)
            n_entries = X.shape[0] * X.shape[1]
        return self._estimate_log_partition(n_entries, rng)

    def _fit_reference(self, X, weights, rng):
        self._reference = fit_reference(self._training.energy, *starting_rows(X, weights, rng))

    def _estimate_log_partition(self, n_entries, rng):
        method, budget = self._partition_method_and_budget(n_entries)
        estimate = log_partition(
            self._training.energy,
            self._training.energy_theta,
            self._reference,
            method=method,
            budget=budget,
            rng=rng,
        )
        size = estimate.effective_sample_size
        if estimate.method == "ais" and size < TRUSTED_FRACTION * budget.n_chains:
            warnings.warn(
                f"log Z by annealing rests on {size:.1f} of {budget.n_chains} chains: it is likely "
                "too low, by more than log_partition_std_err_ says, and score_samples too high by "
                "the same constant. More temperatures help: "
                "partition=AnnealedImportanceSampling(n_temperatures=...).",
                ConvergenceWarning,
                stacklevel=3,
            )
        if estimate.bracket is not None:
            lower, upper = estimate.bracket
            if abs(upper - lower) > TRUSTED_WIDTH:
                warnings.warn(
                    f"Annealing to the model and back leaves log Z between {lower:.2f} and "
                    f"{upper:.2f}: a bracket wider than {TRUSTED_WIDTH:g} nats. More temperatures "
                    "make it narrower: partition=AnnealedImportanceSampling(n_temperatures=..., "
                    "bracket=True).",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        self.log_partition_ = estimate.value
        self.log_partition_std_err_ = estimate.std_err
        self.log_partition_effective_sample_size_ = estimate.effective_sample_size
        self.log_partition_bracket_ = estimate.bracket
        return self

    def _partition_method_and_budget(self, n_entries=None):
        is_budget = isinstance(self.partition, AnnealedImportanceSampling)
        budget = self.partition.validate() if is_budget else AnnealedImportanceSampling()
        if n_entries is not None:
            budget = budget.for_data(n_entries)
        return ("ais" if is_budget else self.partition.replace("none", "auto")), budget

    def _forget_log_partition(self):
        for suffix in ("", "std_err_", "effective_sample_size_", "bracket_"):
            self.__dict__.pop(f"log_partition_{suffix}", None)

    def score_samples(self, X):
        """Log-density of each row, log p̃(x) − log Z, in nats.

        Comparable across hyper-parameters, and with any other density on the same space, up to the
        error of log Z. With ``partition="none"`` it is log p̃(x), not normalised.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.

        Raises
        ------
        MissingLogPartitionError
            After ``partial_fit``, until ``estimate_log_partition`` has been called.
        """
        check_is_fitted(self)
        if self.score_normalized_ and not hasattr(self, "log_partition_"):
            raise MissingLogPartitionError(
                f"This {type(self).__name__} has changed since log Z was known. Call "
                "estimate_log_partition() first, or set partition='none' to score without it."
            )
        energy = self.energy(X)
        return -energy - energy.dtype.type(getattr(self, "log_partition_", 0.0))

    def sample(self, n_samples=1, *, n_steps=100, random_state=None):
        """Draw from the model, by annealing and then its own sampler.

        Every draw is the end of a chain of its own: from the reference density through intermediate
        temperatures to the model, and `n_steps` transitions on. Exact in the limit of many steps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        n_steps : int, default=100
            Transitions at the model's own temperature.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws.
        """
        check_is_fitted(self)
        for name, value, least in (("n_samples", n_samples, 1), ("n_steps", n_steps, 0)):
            if not isinstance(value, Integral) or value < least:
                raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")
        _, budget = self._partition_method_and_budget()
        training = self._training
        path = annealing_path(
            training.energy,
            training.energy_theta,
            self._reference,
            n_leapfrog_steps=budget.n_leapfrog_steps,
        )
        particles, _ = anneal(
            path, 200, n_samples, generator_from(random_state), n_last_moves=n_steps
        )
        return path.positions(particles)
