"""Conditional random fields of label sequences."""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from sklvm._compat import CallbackSupportMixin, Interval, _check_sample_weight, _fit_context
from sklvm._warnings import warn
from sklvm.base import FLOATS, PackageMixin
from sklvm.kernels import chain_best_path, chain_marginals
from sklvm.random_fields._chain_likelihood import ChainLikelihood, path_potentials
from sklvm.random_fields._elastic_net import minimize_elastic_net
from sklvm.random_fields._sequences import sequence_starts, sequence_weights
from sklvm.training import EpochCallbacks, Monitor

__all__ = ["ChainConditionalRandomField"]


class ChainConditionalRandomField(
    ClassifierMixin, PackageMixin, CallbackSupportMixin, BaseEstimator
):
    """Labels of the rows of a sequence, each depending on its features and on its neighbours.

    ::

        P(y|x) = exp(Σ_t u_t(y_t) + Σ_t A(y_{t-1}, y_t)) / Z(x),    u_t = W x_t + b

    The linear-chain conditional random field [1]_. Sequences are consecutive rows of X that share
    an id in ``groups``. Likelihood, marginals and the best labels are exact: forward–backward and
    Viterbi's recursion. Training minimises ::

        −Σ log P(y|x) + alpha (l1_ratio ‖θ‖₁ + (1 − l1_ratio) ‖θ‖² / 2),    θ = (W, A),

    summed over the sequences, by L-BFGS. It is convex. Without ``groups`` every row is a sequence
    of its own, and the model is multinomial logistic regression.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty: 1/C of :class:`~sklearn.linear_model.LogisticRegression`. The
        intercept is not penalised.
    l1_ratio : float in [0, 1], default=0.0
        Share of the l1 norm in the penalty. With any of it, some weights are exactly 0.
    fit_intercept : bool, default=True
        Whether there is a b.
    max_iter : int, default=1000
        Greatest number of iterations of L-BFGS.
    tol : float, default=1e-6
        Training ends where no entry of the gradient of the criterion, divided by the number of
        sequences, is larger.
    verbose : int, default=0
        1 prints a line an iteration.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, in order.
    coef_ : ndarray of shape (n_classes, n_features)
        W.
    intercept_ : ndarray of shape (n_classes,)
        b; 0 without ``fit_intercept``.
    transitions_ : ndarray of shape (n_classes, n_classes)
        A; row: the label before.
    history_ : dict of str to ndarray
        ``"objective"``, the criterion divided by the number of sequences after each iteration.
    n_iter_ : int
        Iterations made.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during ``fit``, where X has string names.

    See Also
    --------
    sklearn.linear_model.LogisticRegression : The same without neighbours.

    Notes
    -----
    Two classes have two rows of weights here, and the penalty is that of both: the probabilities
    are those of a binary logistic regression with C = 2 / alpha.

    ``GridSearchCV`` hands ``groups`` to the splitter alone. To let the sequences reach the
    estimator as well, switch on scikit-learn's metadata routing and ask for them:
    ``set_fit_request(groups=True)``, ``set_score_request(groups=True)``, with a ``GroupKFold``.

    References
    ----------
    .. [1] Lafferty, McCallum and Pereira (2001), "Conditional random fields: probabilistic models
       for segmenting and labeling sequence data", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import ChainConditionalRandomField
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(rng.choice(["calm", "storm"], size=60), 5)  # it lasts for five hours
    >>> wind = (labels == "storm") + rng.standard_normal(300)
    >>> groups = np.repeat(np.arange(3), 100)
    >>> model = ChainConditionalRandomField().fit(wind[:, np.newaxis], labels, groups=groups)
    >>> alone = ChainConditionalRandomField().fit(wind[:, np.newaxis], labels)
    >>> round(alone.score(wind[:, np.newaxis], labels), 2)
    0.72
    >>> round(model.score(wind[:, np.newaxis], labels, groups=groups), 2)
    0.83
    """

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self, *, alpha=1.0, l1_ratio=0.0, fit_intercept=True, max_iter=1000, tol=1e-6, verbose=0
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit the weights and the transitions.

        Parameters
        ----------
        X : array-like or CSR of shape (n_samples, n_features)
            Features, the rows of a sequence in their order. They are computed with in float64.
        y : array-like of shape (n_samples,)
            Labels, numbers or strings.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the sequences: the same for all rows of one.
        groups : array-like of shape (n_samples,), default=None
            Ids of the sequences, the rows of each one after the other; None: every row is a
            sequence.

        Returns
        -------
        self : ChainConditionalRandomField

        Raises
        ------
        ValueError
            For bad data, groups that are not contiguous, weights that differ within a sequence.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=FLOATS, order="C")
        check_classification_targets(y)
        starts = sequence_starts(groups, X.shape[0])
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        weights = sequence_weights(sample_weight, starts)
        classes, labels = np.unique(y, return_inverse=True)
        likelihood = ChainLikelihood(
            X.astype(np.float64, copy=False),
            labels,
            len(classes),
            starts,
            weights,
            fit_intercept=self.fit_intercept,
        )

        def fitted(theta):
            coef, transitions, intercept = (
                part.astype(X.dtype) for part in likelihood.parts(theta)
            )
            return {
                "classes_": classes,
                "coef_": np.ascontiguousarray(coef.T),
                "intercept_": intercept,
                "transitions_": transitions,
                "n_features_in_": X.shape[1],
            }

        theta = self._minimize(X, y, likelihood, weights.sum(), fitted)
        for name, value in fitted(theta).items():
            setattr(self, name, value)
        return self

    def _minimize(self, X, y, likelihood, total_weight, fitted):
        """θ at the minimum; sets ``history_`` and ``n_iter_``."""
        monitor = Monitor(
            tol=0,
            patience=1,
            verbose=self.verbose,
            owner=type(self).__name__,
            max_iter=self.max_iter,
        )
        theta = likelihood.start()
        callbacks = EpochCallbacks(self, X, y, self.max_iter, lambda: fitted(theta))
        callbacks.begin_epoch()

        def on_iteration(new, value):
            nonlocal theta
            theta = new
            monitor.record(objective=value)
            was_stopped = callbacks.end_epoch()
            if not was_stopped and len(monitor.records) < self.max_iter:
                callbacks.begin_epoch()
            return was_stopped

        theta, n_iter, message = minimize_elastic_net(
            likelihood,
            theta,
            likelihood.n_penalized,
            l1=self.alpha * self.l1_ratio / total_weight,
            l2=self.alpha * (1 - self.l1_ratio) / total_weight,
            max_iter=self.max_iter,
            tol=self.tol,
            on_iteration=on_iteration,
        )
        callbacks.end()
        if message is not None:
            warn(
                f"{type(self).__name__} did not converge in {n_iter} iterations ({message}). Raise "
                "max_iter or tol, scale the data, or raise alpha.",
                ConvergenceWarning,
            )
        self.history_, self.n_iter_ = monitor.history(), n_iter
        return theta

    def predict(self, X, groups=None):
        """The most probable sequence of labels of each sequence of rows, by Viterbi's recursion.

        Parameters
        ----------
        X : array-like or CSR of shape (n_samples, n_features)
        groups : array-like of shape (n_samples,), default=None
            Ids of the sequences, as in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        unary, starts = self._unary(X, groups)
        return self.classes_[chain_best_path(unary, self._transitions(), starts)]

    def predict_proba(self, X, groups=None):
        """P(y_t = j|x) of each row, given the features of its whole sequence.

        Parameters
        ----------
        X : array-like or CSR of shape (n_samples, n_features)
        groups : array-like of shape (n_samples,), default=None
            Ids of the sequences, as in ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        unary, starts = self._unary(X, groups)
        marginals = chain_marginals(unary, self._transitions(), starts).marginals
        return marginals.astype(self.coef_.dtype, copy=False)

    def log_likelihood(self, X, y, groups=None):
        """log P(y|x) of each sequence, in nats.

        Parameters
        ----------
        X : array-like or CSR of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels; each of them one of ``classes_``.
        groups : array-like of shape (n_samples,), default=None
            Ids of the sequences, as in ``fit``.

        Returns
        -------
        log_likelihood : ndarray of shape (n_sequences,)
            In the order of the sequences.

        Raises
        ------
        ValueError
            If `y` has a label that ``fit`` did not see.
        """
        unary, starts = self._unary(X, groups)
        labels = self._labels(y, len(unary))
        transitions = self._transitions()
        log_partition = chain_marginals(unary, transitions, starts).log_partition
        return path_potentials(unary, transitions, labels, starts) - log_partition

    def score(self, X, y, sample_weight=None, groups=None):
        """Share of rows whose predicted label is right.

        Parameters
        ----------
        X : array-like or CSR of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        groups : array-like of shape (n_samples,), default=None
            Ids of the sequences, as in ``fit``.

        Returns
        -------
        accuracy : float
        """
        return accuracy_score(y, self.predict(X, groups=groups), sample_weight=sample_weight)

    def _unary(self, X, groups):
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, order="C", reset=False)
        starts = sequence_starts(groups, X.shape[0])
        unary = X @ np.ascontiguousarray(self.coef_.T)
        if issparse(unary):
            unary = unary.toarray()
        return np.asarray(unary, dtype=np.float64) + self.intercept_, starts

    def _transitions(self):
        return self.transitions_.astype(np.float64, copy=False)

    def _labels(self, y, n_rows):
        y = column_or_1d(y)
        if len(y) != n_rows:
            raise ValueError(f"y must have one label a row of X, {n_rows}, got {len(y)}.")
        labels = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        unknown = self.classes_[labels] != y
        if np.any(unknown):
            raise ValueError(
                f"y has the label {y[unknown][0]}, which is none of {self.classes_.tolist()}."
            )
        return labels

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
