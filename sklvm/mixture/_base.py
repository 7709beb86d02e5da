"""What the mixtures share: EM and what a fitted mixture is used for."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.cluster import kmeans_plusplus
from sklearn.utils import check_array

from sklvm._compat import Interval, StrOptions
from sklvm.base import LatentVariableModel, StatisticsModel, generator_from
from sklvm.mixture._expectation import MixtureExpectation, MixtureParameters
from sklvm.mixture._questions import MixtureQuestions
from sklvm.optimizers import EM
from sklvm.rows import starting_rows
from sklvm.settings import resolve
from sklvm.training import StatisticsTraining

__all__ = ["MixtureModel"]

# Iterations of the short runs, and rows that they look at.
N_TRIAL_ITERATIONS = 5
N_TRIAL_ROWS = 10_000


class MixtureModel(MixtureQuestions, StatisticsModel, LatentVariableModel):
    """Base of the mixtures p(x) = Σ_k π_k p(x | k), fitted by EM.

    A subclass gives ``_components(X, weights)``, a family of densities with its settings;
    ``_start_components(components, rows, X, weights)``, its parameters about given rows, knowing
    complete data;
    ``_component_attributes(components, theta, dtype)``, fitted attributes by name; its parameters
    and its docstring.
    """

    # What θ cannot follow in a warm start.
    _shaping = ("n_components", "covariance_type", "n_factors")
    _shorthands = {"optimizer": {"em": EM}}
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions({"em"}), EM],
        "init": [StrOptions({"k-means++", "data"}), "array-like"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    # -- fitting ----------------------------------------------------------------------------------

    def _start(self, X, weights):
        if self.n_components > X.shape[0]:
            raise ValueError(
                f"n_components={self.n_components} components need as many rows, got "
                f"{X.shape[0]} of positive weight."
            )
        _check_observed(X)
        rng = generator_from(self.random_state)
        model = self._expectation(X, weights)
        theta = self._best_start(model, X, weights, rng)
        return StatisticsTraining(
            model,
            theta,
            rng,
            forgetting=model.em.forgetting,
            incremental=model.em.incremental,
            n_jobs=self.n_jobs,
        )

    def _expectation(self, X, weights):
        em = resolve(self.optimizer, {"em": EM}, "optimizer", type(self).__name__)
        return MixtureExpectation(self._components(X, weights), em, X.shape[1], X.dtype)

    def _continue(self, learner, X, weights):
        _check_observed(X)
        model, before = self._expectation(X, weights), learner.model.components
        for name in self._shaping:
            old, new = getattr(before, name, None), getattr(model.components, name, None)
            if old != new:
                raise ValueError(
                    f"{name}={new!r} does not go with warm_start=True after a fit with {old!r}. "
                    "Set warm_start=False to start anew."
                )
        if hasattr(before, "origin"):
            # Statistics of the past are about the origin of then.
            model = replace(model, components=replace(model.components, origin=before.origin))
        return learner.continued(
            model,
            learner.theta,
            forgetting=model.em.forgetting,
            incremental=model.em.incremental,
            n_jobs=self.n_jobs,
        )

    def _best_start(self, model, X, weights, rng):
        """Where the fit starts: the best of `n_init` short runs on some of the rows."""
        n_starts = self.n_init if isinstance(self.init, str) and self.n_components > 1 else 1
        complete, complete_weights = starting_rows(*self._some_rows(X, weights, rng), rng)
        starts = [
            self._one_start(model, X, weights, complete, complete_weights, rng)
            for _ in range(n_starts)
        ]
        if n_starts == 1:
            return starts[0]
        if len(weights) > N_TRIAL_ROWS:
            some = np.sort(rng.choice(len(weights), N_TRIAL_ROWS, replace=False))
            X, weights = X[some], weights[some]
        plain, runs = replace(model, em=EM()), []
        for theta in starts:
            run = StatisticsTraining(plain, theta, rng)
            run.begin(X, weights, None, max_iter=N_TRIAL_ITERATIONS, batch_size=None)
            for _ in range(N_TRIAL_ITERATIONS):
                run.epoch(X, weights, np.arange(len(weights)), batch_size=None, shuffle=False)
            runs.append((run.objective, run.theta))
        return min(runs, key=lambda run: run[0])[1]

    def _some_rows(self, X, weights, rng):
        """At most 10,000 rows, unless a feature is observed in none of them."""
        n_seen = max(N_TRIAL_ROWS, self.n_components)
        if len(weights) <= n_seen:
            return X, weights
        some = np.sort(rng.choice(len(weights), n_seen, replace=False))
        rows = X[some]
        if not sparse.issparse(rows) and np.isnan(rows).all(axis=0).any():
            return X, weights
        return rows, weights[some]

    def _one_start(self, model, X, weights, complete, complete_weights, rng):
        K = self.n_components
        if not isinstance(self.init, str):
            rows = check_array(
                self.init, dtype=np.float64, ensure_all_finite=True, input_name="init"
            )
            if rows.shape != (K, X.shape[1]):
                raise ValueError(
                    f"init must have shape (n_components, n_features) = {(K, X.shape[1])}, got "
                    f"{rows.shape}."
                )
            rows = self._given_rows(model.components, rows)
        elif K == 1:
            rows = np.average(complete, axis=0, weights=complete_weights)[np.newaxis]
        elif self.init == "data":
            shares = complete_weights.astype(np.float64)
            chosen = rng.choice(len(complete), K, replace=False, p=shares / shares.sum())
            rows = complete[chosen]
        else:
            seed = int(rng.integers(2**31))
            _, chosen = kmeans_plusplus(
                self._spread(complete), K, sample_weight=complete_weights, random_state=seed
            )
            rows = complete[chosen]
        log_weights = np.full(K, -np.log(K))
        parameters = self._start_components(
            model.components, rows.astype(np.float64), complete, complete_weights
        )
        return MixtureParameters(log_weights, parameters)

    def _given_rows(self, components, rows):
        """`init`, in the model's own units."""
        return rows

    def _spread(self, rows):
        """Rows in units in which k-means++ is to measure distances."""
        return rows

    def _diagnosis(self, learner, X, weights, rows, held_out):
        def diagnose():
            values = {"bound": -learner.objective}
            if learner.model.is_preliminary:
                values["inverse_temperature"] = learner.model.inverse_temperature
            return values

        return diagnose

    def _fitted_attributes(self, learner):
        theta = learner.theta
        return {
            **super()._fitted_attributes(learner),
            "n_features_in_": learner.model.n_features,
            "_mixture": learner.model,
            "_theta": theta,
            "weights_": np.exp(theta.log_weights).astype(learner.model.dtype),
            **self._component_attributes(
                learner.model.components, theta.components, learner.model.dtype
            ),
        }


def _check_observed(X):
    """Refuse rows that say nothing, and features of which nobody says anything."""
    shape = X.shape
    if sparse.issparse(X):
        X = X.tocoo()
        where = np.isnan(X.data)
        rows, columns = X.row[where], X.col[where]
    elif np.isnan(X.sum(dtype=np.float64)):
        rows, columns = np.nonzero(np.isnan(X))
    else:
        return
    for what, indices, n, least in (
        ("Rows", rows, shape[0], 1),
        ("Features", columns, shape[1], 0),
    ):
        empty = np.flatnonzero(np.bincount(indices, minlength=n) == shape[least])
        if len(empty):
            raise ValueError(
                f"{what} {empty[:10].tolist()} of X have no observed value. Leave them out."
            )
