"""The auto-encoder with binary latent variables as an estimator."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy.special import log_expit, logsumexp
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.energies import MAX_LISTED_UNITS, BinaryFactorEnergy
from sklvm.kernels import sigmoid, uniform
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.variational._autoencoding_model import AutoencodingModel

__all__ = ["BinaryLatentVAE"]

DEFAULT_OPTIMIZER = partial(Adam, 0.03, schedule="cosine", max_gradient_norm=10.0)


class BinaryLatentVAE(AutoencodingModel):
    """Single-layer variational auto-encoder with binary latent variables.

    ::

        z_k ∈ {0, 1} with log-odds c_k,    x|z ~ N(a + Wz, σ²I),    q(z_k = 1|x) = s(v_kᵀx + b_k),

    s the logistic sigmoid: binary factors, or causes, that add up. Training raises the evidence
    lower bound, which needs no draws here: the expected error is ‖x − a − Ws‖² + Σ_k ‖w_k‖²
    s_k(1 − s_k). Tied weights v_k = w_k/σ² give the exact posterior where the w_k are orthogonal.

    Parameters
    ----------
    n_components : int, default=20
        Number K of latent variables.
    objective : str or Objective, default="variational_bound"
        The training criterion: an object from :mod:`sklvm.objectives`, or its short name, for
        default settings. "variational_bound" is :class:`~sklvm.objectives.VariationalBound`, the
        evidence lower bound without draws; "vnce"
        :class:`~sklvm.objectives.VariationalNoiseContrastiveEstimation` with this q.
    sigma : float or "learn", default="learn"
        σ, in the units of x.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    tied : bool, default=True
        Whether v_k = w_k/σ², or is learned.
    learn_prior : bool, default=False
        Whether the c_k are learned, or 0: probabilities of ½.
    n_importance_samples : int, default=100
        Draws of z for each row of ``score_samples``, where K is larger than 12.
    optimizer : {"auto", "adam", "sgd", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.03, schedule="cosine",
        max_gradient_norm=10)``. The bound is deterministic: "lbfgs", which takes all rows at once,
        finds much better optima in short time, of tied weights and a learned σ above all, for they
        couple all parameters.
    weight_decay : float, default=0.0
        λ of the penalty ½λ‖W‖² on all weights, biases apart, which is added to the criterion.
    max_iter : int or "auto", default="auto"
        Epochs (iterations of L-BFGS). 0 leaves the model at its start. "auto" suits the rows: 20
        passes over them, but no fewer than 2,000 steps, and no more than 20,000 unless that is less
        than one pass; the fit is cut short where the criterion comes to a plateau, and an epoch has
        25 steps at least, of several passes over few rows. Of L-BFGS it is 1,000 iterations.
    batch_size : int, default=100
        Rows a step; the last batch of an epoch may be smaller.
    shuffle : bool, default=True
        Whether to draw a new order of the rows for each epoch.
    tol : float, default=0.0
        Stop after ``n_iter_no_change`` epochs that improve the criterion by less; for criteria that
        have a value. 0 runs all epochs, unless there is early stopping.
    early_stopping : bool, default=False
        Hold out rows, stop by the criterion on them, and return to the epoch that was best on them.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs that may pass without such an improvement before training stops.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The w_k.
    encoder_components_ : ndarray of shape (n_components, n_features)
        The v_k.
    intercept_visible_ : ndarray of shape (n_features,)
        a.
    intercept_hidden_ : ndarray of shape (n_components,)
        b.
    prior_log_odds_ : ndarray of shape (n_components,)
        c.
    sigma_ : float
        σ.
    fitted_energy_ : FittedEnergy
        The energy of ``sklvm.energies`` and its parameters θ, as ``energy`` and ``theta``.
    history_ : dict of ndarray
        Values an epoch: ``objective`` (by default minus the bound, in nats a row),
        ``gradient_norm``, and ``validation_objective`` with early stopping.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``unscaled_features``, ``collapsed_scale`` (σ at its floor), ``noise_coverage`` (of
        "vnce"), and ``convergence``.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import BinaryLatentVAE
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.random((500, 3)) < 0.5
    >>> X = Z @ np.eye(3, 6) * 4 + 0.3 * rng.standard_normal((500, 6))
    >>> vae = BinaryLatentVAE(3, optimizer="lbfgs", max_iter=300, random_state=0).fit(X)
    >>> vae.transform(X).shape
    (500, 3)
    >>> bool((vae.elbo(X) <= vae.score_samples(X) + 1e-9).all())
    True
    """

    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER}}
    _parameter_constraints: dict = {
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
        "sigma": [Interval(Real, 0, None, closed="neither"), StrOptions({"learn"})],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
        "tied": ["boolean"],
        "learn_prior": ["boolean"],
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components=20,
        *,
        objective="variational_bound",
        sigma="learn",
        sigma_floor=1e-3,
        tied=True,
        learn_prior=False,
        n_importance_samples=100,
        optimizer="auto",
        weight_decay=0.0,
        max_iter="auto",
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.objective = objective
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.tied = tied
        self.learn_prior = learn_prior
        self.n_importance_samples = n_importance_samples
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # -- fitting ----------------------------------------------------------------------------------

    def _make_model(self, X):
        energy = BinaryFactorEnergy(
            X.shape[1],
            self.n_components,
            self.sigma,
            self.sigma_floor,
            self.tied,
            self.learn_prior,
        )
        return energy, self._resolve_objective(energy)

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        variance = energy.scale.variance(views)
        return {
            "components_": views["weights"],
            "encoder_components_": views.get("encoder_weights", views["weights"] / variance),
            "intercept_visible_": views["visible_bias"],
            "intercept_hidden_": views["hidden_bias"],
            "prior_log_odds_": views.get("prior_log_odds", np.zeros_like(views["hidden_bias"])),
            "sigma_": float(np.sqrt(variance)),
        }

    # -- using the model --------------------------------------------------------------------------

    @property
    def score_is_bound_(self):
        """Whether ``score_samples`` is a lower bound in expectation: beyond 12 latent variables."""
        check_is_fitted(self)
        return self._training.energy.n_components > MAX_LISTED_UNITS

    def transform(self, X):
        """Posterior means q(z_k = 1|x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            The probabilities.
        """
        return self._by_rows(
            lambda energy, theta, X: sigmoid(energy.encoder_logits(theta, X)[0]), X
        )

    def score_samples(self, X):
        """log p(x), in nats: exact with up to 12 latent variables, else importance-weighted.

        Beyond 12 it is log (1/S) Σ_s p(x, z_s)/q(z_s|x) with S = ``n_importance_samples`` draws
        from q, made of the same uniform numbers for every row and every call: a lower bound of
        log p(x) in expectation over the draws.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Higher is more normal.
        """
        return self._by_rows(self._log_density_of_rows, X)

    def _log_density_of_rows(self, energy, theta, X):
        if energy.n_components <= MAX_LISTED_UNITS:
            return energy.log_density(theta, X)
        n_draws = self._fitted_params["n_importance_samples"]
        noise = uniform((n_draws, energy.n_components), 0, dtype=theta.dtype)
        scores = np.empty(len(X), dtype=theta.dtype)
        for row, log_odds in enumerate(energy.encoder_logits(theta, X)[0]):
            Z = (noise < sigmoid(log_odds)).astype(theta.dtype)
            log_q = log_expit(np.where(Z == 1, log_odds, -log_odds)).sum(axis=1)
            log_weights = energy.log_joint(theta, X[row : row + 1], Z)[0] - log_q
            scores[row] = logsumexp(log_weights) - np.log(len(noise))
        return scores

    def elbo(self, X):
        """The evidence lower bound of log p(x), exact, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        elbo : ndarray of shape (n_samples,)
            The bound for each row; ``score_samples`` minus it is the divergence of q from the
            posterior.
        """
        return self._by_rows(lambda energy, theta, X: -energy.bound(theta, X)[0], X)
