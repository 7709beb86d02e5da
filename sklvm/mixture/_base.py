"""What the mixtures share: EM and what a fitted mixture is used for."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.cluster import kmeans_plusplus
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import LatentVariableModel, StatisticsModel, generator_from, map_row_blocks
from sklvm.mixture._expectation import MixtureExpectation, MixtureParameters
from sklvm.optimizers import EM
from sklvm.settings import resolve
from sklvm.training import StatisticsTraining, as_dense, slices, starting_rows

__all__ = ["MixtureModel"]

# Iterations of the short runs, and rows that they look at.
N_TRIAL_ITERATIONS = 5
N_TRIAL_ROWS = 10_000


class MixtureModel(StatisticsModel, LatentVariableModel):
    """Base of the mixtures p(x) = Σ_k π_k p(x | k), fitted by EM.

    A subclass gives ``_components(X)``, a family of densities with its settings;
    ``_start_components(components, rows, X, weights)``, its parameters about given rows;
    ``_component_attributes(theta, dtype)``, fitted attributes by name; its parameters and its
    docstring.
    """

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
        model = MixtureExpectation(self._components(X), self._em(), X.dtype)
        theta = self._best_start(model, X, weights, rng)
        return StatisticsTraining(
            model,
            theta,
            rng,
            forgetting=model.em.forgetting,
            incremental=model.em.incremental,
            n_jobs=self.n_jobs,
        )

    def _em(self):
        return resolve(self.optimizer, {"em": EM}, "optimizer", type(self).__name__)

    def _continue(self, learner, X, weights):
        if self.n_components != learner.model.n_components:
            raise ValueError(
                f"n_components={self.n_components} does not go with warm_start=True after a fit of "
                f"{learner.model.n_components} components. Set warm_start=False to start anew."
            )
        _check_observed(X)
        em = self._em()
        return learner.continued(
            MixtureExpectation(self._components(X), em, X.dtype),
            learner.theta,
            forgetting=em.forgetting,
            incremental=em.incremental,
            n_jobs=self.n_jobs,
        )

    def _best_start(self, model, X, weights, rng):
        """Where the fit starts: the best of `n_init` short runs on some of the rows."""
        n_starts = self.n_init if isinstance(self.init, str) and self.n_components > 1 else 1
        complete, complete_weights = starting_rows(X, weights, rng)
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
        elif K == 1:
            rows = np.average(complete, axis=0, weights=complete_weights)[np.newaxis]
        elif self.init == "data":
            shares = complete_weights.astype(np.float64)
            chosen = rng.choice(len(complete), K, replace=False, p=shares / shares.sum())
            rows = complete[chosen]
        else:
            seed = int(rng.integers(2**31))
            rows, _ = kmeans_plusplus(
                complete, K, sample_weight=complete_weights, random_state=seed
            )
        log_weights = np.full(K, -np.log(K))
        parameters = self._start_components(model.components, rows.astype(np.float64), X, weights)
        return MixtureParameters(log_weights, parameters)

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
            "n_features_in_": self.n_features_in_,
            "_mixture": learner.model,
            "_theta": theta,
            "weights_": np.exp(theta.log_weights).astype(learner.model.dtype),
            **self._component_attributes(theta.components, learner.model.dtype),
        }

    # -- using the model --------------------------------------------------------------------------

    @property
    def _n_features_out(self):
        return len(self.weights_)

    def _by_rows(self, function, X):
        """A function of θ and rows, of all rows of X, some at a time."""
        check_is_fitted(self)
        X = self._check_X(X)
        width = max(X.shape[1], len(self.weights_))
        return map_row_blocks(lambda rows: function(self._theta, X[rows]), X.shape[0], width)

    def score_samples(self, X):
        """Log-density of each row, in nats; a log-probability where data are discrete.

        Exact. Of rows with missing entries (NaN) it is that of what is observed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            log Σ_k π_k p(x | k). Higher is more normal.
        """
        return self._by_rows(self._model_density, X)

    def _model_density(self, theta, X):
        return self._mixture.log_density(theta, X)

    def predict_proba(self, X):
        """Posterior probabilities of the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_components)
            p(k | x). Rows sum to 1.
        """
        return self._by_rows(self._mixture_posterior, X)

    def _mixture_posterior(self, theta, X):
        return self._mixture.posterior(theta, X)

    def transform(self, X):
        """Posterior probabilities of the components: the same as ``predict_proba``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(k | x).
        """
        return self.predict_proba(X)

    def predict(self, X):
        """The most probable component of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
        """
        return np.argmax(self.predict_proba(X), axis=1)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture to X, and name the most probable component of each row.

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
        labels : ndarray of int of shape (n_samples,)
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def sample(self, n_samples=1, *, random_state=None):
        """Independent draws.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The draws, their components in random order.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(f"n_samples must be an integer of at least 1, got {n_samples!r}.")
        rng = generator_from(random_state)
        weights = np.exp(self._theta.log_weights)
        labels = rng.choice(len(weights), n_samples, p=weights / weights.sum())
        rows = self._mixture.components.sample(self._theta.components, labels, rng)
        return rows.astype(self._mixture.dtype, copy=False)

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries from the model's distribution given the observed ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, NaN where missing.
        method : {"mean", "draw"}, default="mean"
            "mean" fills in E[x_missing | x_observed], "draw" a draw from
            p(x_missing | x_observed). Both are exact.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The data without NaN; observed entries are as they were.
        """
        check_is_fitted(self)
        if method not in ("mean", "draw"):
            raise ValueError(f"method must be 'mean' or 'draw', got {method!r}.")
        X = as_dense(self._check_X(X)).copy()
        incomplete = np.flatnonzero(np.isnan(X).any(axis=1))
        rng = generator_from(random_state)
        components, theta = self._mixture.components, self._theta
        for part in slices(len(incomplete), 1024):
            rows = X[incomplete[part]]
            posterior = self._mixture.posterior(theta, rows)
            if method == "draw":
                chosen = (posterior.cumsum(axis=1) < rng.random((len(rows), 1))).sum(axis=1)
                chosen = np.minimum(chosen, posterior.shape[1] - 1)
                filled = components.drawn(theta.components, rows, chosen, rng)
            else:
                filled = np.zeros(rows.shape)
                for k in range(posterior.shape[1]):
                    filled += posterior[:, [k]] * components.completed(theta.components, rows, k)
            X[incomplete[part]] = np.where(np.isnan(rows), filled, rows)
        return X

    def conditional_log_proba(self, X, free):
        """log p(x_free | x_others), in nats, exactly; entries that are missing are summed out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features)
            Whose distribution is asked for; the other entries are given.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,)
            A log-density for real data.

        Raises
        ------
        ValueError
            For a mask of another shape.
        """
        check_is_fitted(self)
        X, free = as_dense(self._check_X(X)), np.asarray(free)
        if free.dtype != np.bool_ or free.shape not in (X.shape, X.shape[1:]):
            raise ValueError(
                f"free must be a mask of shape {X.shape[1:]} or {X.shape}, got shape {free.shape} "
                f"and dtype {free.dtype}."
            )
        return self.score_samples(X) - self.score_samples(np.where(free, np.nan, X))

    # -- model selection --------------------------------------------------------------------------

    def n_parameters(self):
        """Number of free parameters: those of the components, and K − 1 weights.

        Returns
        -------
        n_parameters : int
        """
        check_is_fitted(self)
        components = self._mixture.components
        return components.n_components - 1 + components.n_parameters(self.n_features_in_)

    def bic(self, X):
        """Bayesian information criterion, −2 log p(X) + n_parameters · log n_samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        bic : float
            Lower is better.
        """
        scores = self.score_samples(X).astype(np.float64)
        return float(-2 * scores.sum() + self.n_parameters() * np.log(len(scores)))

    def aic(self, X):
        """Akaike information criterion, −2 log p(X) + 2 · n_parameters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        aic : float
            Lower is better.
        """
        scores = self.score_samples(X).astype(np.float64)
        return float(-2 * scores.sum() + 2 * self.n_parameters())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


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
