"""The mean–covariance restricted Boltzmann machine as an estimator."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import check_latent_rows, map_row_blocks
from sklvm.energies import MeanCovarianceRBMEnergy, NormalizedMeanCovarianceRBMEnergy
from sklvm.energy_based._base import LatentEnergyBasedModel
from sklvm.energy_based._pooling import project_pooling, resolve_pooling
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.training.links import Projection

__all__ = ["MeanCovarianceRBM"]

DEFAULT_OPTIMIZER = partial(Adam, 0.01, schedule="linear", max_gradient_norm=10.0)


class MeanCovarianceRBM(LatentEnergyBasedModel):
    """Restricted Boltzmann machine whose hidden units give x a mean and a covariance.

    ::

        log p(x, y, z) = −‖x‖²/(2σ²) + aᵀx + zᵀ(Wx + b) + yᵀ(c − ½ P (Cx)²) − log Z,
        log p(x) = −‖x‖²/(2σ²) + aᵀx + Σ_k S(u_k) + Σ_n S(v_n) − log Z,   S(u) = log(1 + eᵘ),
        u = Wx + b,   v = c − ½ P (Cx)²,

    with z ∈ {0, 1}^K the mean units, y ∈ {0, 1}^N the covariance units and P ≥ 0 [1]_. Given y and
    z, x is Gaussian with the precision I/σ² + Cᵀ diag(Pᵀy) C: a covariance unit that is on forbids
    large outputs of the filters that it pools, and one that is switched off by a large output lets
    x vary along them. With ``n_components=0`` it is the covariance machine. x is real, and best
    whitened.

    Where Ranzato and Hinton have P ≤ 0 in front of the squares, theirs is −½ times this one.

    Parameters
    ----------
    n_components : int, default=64
        Number K of mean units. 0 leaves them out: the covariance machine.
    n_covariance_components : int, default=64
        Number N of covariance units.
    n_factors : int, default=None
        Number F of filters, the rows of C. None: as many as `pooling` has columns, or as there are
        covariance units.
    pooling : "full" or array-like of shape (n_covariance_components, n_factors), default=None
        P. None: the identity, so that each covariance unit has a filter of its own. "full" learns
        which filters a unit pools, starting from neighbouring ones. An array of non-negative
        numbers is where a learned P starts; its zeros stay zero. Rows of a learned P have the sum
        1, and every step ends at the nearest such P.
    equal_norms : bool, default=False
        Whether all filters have the same norm, which is learned: every step ends at the nearest
        such C.
    normalize : bool, default=False
        Whether covariance units see x/ℓ, ℓ² = ‖x‖²/d + ½, in the place of x: the pattern of x and
        not its contrast. x given y and z is then not Gaussian, and log Z is known by annealing
        only.
    sigma : float or "learn", default="learn"
        σ, in the units of x; "learn" learns it.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    objective : {"pcd", "cd", "mle", "nce", "vnce", "cnce", "score_matching", \
"sliced_score_matching", "denoising_score_matching"} or Objective, default="pcd"
        Training criterion. Chains move by Hamiltonian Monte Carlo, all hidden units summed out.
        Score matching is ruled by rows near 0, where covariance units bend the density most: on
        natural patches it finds poorer densities. "mle" is for at most 20 hidden units.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="linear",
        max_gradient_norm=10)``; "lbfgs" wants a deterministic criterion and takes all rows at once.
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
    partition : {"auto", "exact", "ais", "none"} or AnnealedImportanceSampling, default="auto"
        How log Z is found when a score is first asked for. "auto": exactly where that is a sum over
        the states of at most 20 units, else by annealed importance sampling. An object sets the
        budget; "none" leaves log Z out, and ``score_samples`` is then log p̃.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch, and how far an estimate of log Z is.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        W, the filters of the mean units.
    factors_ : ndarray of shape (n_factors, n_features)
        C, the filters of the covariance units.
    pooling_ : ndarray of shape (n_covariance_components, n_factors)
        P.
    intercept_visible_ : ndarray of shape (n_features,)
        a.
    intercept_hidden_ : ndarray of shape (n_components,)
        b.
    intercept_covariance_ : ndarray of shape (n_covariance_components,)
        c.
    sigma_ : float
        σ.
    log_partition_, log_partition_std_err_ : float
        log Z and its standard error (0 where exact), in nats. These and the next two are there once
        ``score_samples`` or ``estimate_log_partition`` has estimated log Z.
    log_partition_effective_sample_size_ : float
        Of the annealing's weights; infinite where exact. Where it is far below the number of
        chains, log Z is too low.
    log_partition_bracket_ : tuple of float, or None
        Stochastic bounds of log Z from below and above, in nats, by annealing there and back; with
        ``AnnealedImportanceSampling(bracket=True)``.
    score_normalized_ : bool
        Whether ``score_samples`` is a log-density: log Z is not left out.
    fitted_energy_ : FittedEnergy
        The energy of ``sklvm.energies`` and its parameters θ, as ``energy`` and ``theta``.
    history_ : dict of str to ndarray
        One value an epoch: ``gradient_norm``, ``objective`` where the criterion has a value,
        ``validation_objective``, and of chains their ``acceptance_rate`` and ``step_size``.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``unscaled_features``, ``collapsed_scale`` (a learned σ at its floor), ``dead_units``,
        ``noise_coverage`` (of noise-contrastive criteria), ``tied_rows`` (of score matching), and
        ``convergence``.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Ranzato, Hinton, "Modeling pixel means and covariances using factorized third-order
       Boltzmann machines", CVPR 2010; Ranzato, Krizhevsky, Hinton, "Factored 3-way restricted
       Boltzmann machines for modeling natural images", AISTATS 2010.

    Examples
    --------
    Two features that are large together, or not at all, without any correlation:

    >>> import numpy as np
    >>> from sklvm import MeanCovarianceRBM
    >>> rng = np.random.default_rng(0)
    >>> scale = rng.choice([0.2, 2.0], (2000, 1))
    >>> X = scale * rng.standard_normal((2000, 2))
    >>> model = MeanCovarianceRBM(0, 4, max_iter=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (2000, 4)
    >>> together, apart = model.score_samples([[2.0, 2.0], [2.0, 0.0]])
    >>> bool(together > apart - 2.0)  # the independent Gaussian has a difference of 1 or more
    True
    """

    _shorthands = {
        "optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER},
    }
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 0, None, closed="left")],
        "n_covariance_components": [Interval(Integral, 1, None, closed="left")],
        "n_factors": [Interval(Integral, 1, None, closed="left"), None],
        "pooling": [StrOptions({"full"}), "array-like", None],
        "equal_norms": ["boolean"],
        "normalize": ["boolean"],
        "sigma": [Interval(Real, 0, None, closed="neither"), StrOptions({"learn"})],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
    }

    def __init__(
        self,
        n_components=64,
        n_covariance_components=64,
        *,
        n_factors=None,
        pooling=None,
        equal_norms=False,
        normalize=False,
        sigma="learn",
        sigma_floor=1e-3,
        objective="pcd",
        optimizer="auto",
        weight_decay=0.0,
        max_iter="auto",
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        partition="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.n_covariance_components = n_covariance_components
        self.n_factors = n_factors
        self.pooling = pooling
        self.equal_norms = equal_norms
        self.normalize = normalize
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.objective = objective
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.partition = partition
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def transform(self, X):
        """Posterior means of the hidden units: the mean units, and after them the covariance units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components + n_covariance_components)
            p(z_k = 1 | x), and p(y_n = 1 | x): a covariance unit is off where its filters respond.
        """
        return super().transform(X)

    def inverse_transform(self, Z):
        """Means of the visible units given the hidden ones.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components + n_covariance_components)
            States of the mean and the covariance units, or their probabilities.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            E[x | y, z] = (I/σ² + Cᵀ diag(Pᵀy) C)⁻¹ (a + Wᵀz).

        Raises
        ------
        ValueError
            For another number of columns, and for a model with ``normalize=True``: x given its
            hidden units then has no mean in closed form.
        """
        check_is_fitted(self)
        energy, theta = self._training.energy, self._training.energy_theta
        Z = check_latent_rows(self, Z, energy.n_components)
        if isinstance(energy, NormalizedMeanCovarianceRBMEnergy):
            raise ValueError(
                "inverse_transform needs the mean of x given the hidden units, which has no closed "
                "form where covariance units see normalised x. Set normalize=False."
            )
        return map_row_blocks(
            lambda rows: energy.visible_mean(theta, Z[rows]), len(Z), energy.n_features**2
        )

    def _has_latent_variables(self):
        return True

    def _make_energy(self, n_features):
        kind = NormalizedMeanCovarianceRBMEnergy if self.normalize else MeanCovarianceRBMEnergy
        pooling = resolve_pooling(self.pooling, self.n_covariance_components, self.n_factors)
        return kind(
            n_features,
            self.n_components,
            self.n_covariance_components,
            pooling,
            self.sigma,
            self.sigma_floor,
        )

    def _links(self, energy, objective, optimizer):
        links = super()._links(energy, objective, optimizer)
        if self.pooling is None and not self.equal_norms:
            return links
        asked_by = "equal_norms=True" if self.pooling is None else "a learned pooling"
        project = partial(project_pooling, start=energy.pooling, equal_norms=self.equal_norms)
        return [*links, Projection(energy.layout + objective.own_layout(energy), project, asked_by)]

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        n_covariance_components = len(views["covariance_bias"])
        return {
            "components_": views["coefs_0"],
            "factors_": views["factors"],
            "pooling_": views.get("pooling", np.eye(n_covariance_components, dtype=theta.dtype)),
            "intercept_visible_": views["visible_bias"],
            "intercept_hidden_": views["intercepts_0"],
            "intercept_covariance_": views["covariance_bias"],
            "sigma_": float(np.sqrt(energy.scale.variance(views))),
        }
