"""The restricted Boltzmann machine for real data, as an estimator."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.energies import GaussianRBMEnergy
from sklvm.energy_based._restricted_boltzmann_machine import RestrictedBoltzmannMachine

__all__ = ["GaussianRBM"]


class GaussianRBM(RestrictedBoltzmannMachine):
    """Restricted Boltzmann machine with real visible and binary hidden units.

    ::

        log p(x, z) = −Σ_j (x_j − a_j)²/(2σ_j²) + Σ_jk z_k W_kj x_j/σ_j² + bᵀz − log Z,
        p(x | z) = N(a + Wᵀz, diag σ²),

    a mixture of 2^K Gaussians whose means are sums of rows of W [1]_. Whitened data suit it best.
    Missing entries (NaN) are drawn from the model given the observed ones while it trains.

    After [1]_, training starts near the Gaussian of the data's mean and variance, the component of
    each hidden unit with a hundredth to a tenth of its weight, log σ² moves more slowly than the
    rest, and gradients are clipped. W starts with rows in well separated directions.

    Parameters
    ----------
    n_components : int, default=64
        Number K of hidden units.
    sigma : float, "learn" or "learn_diagonal", default="learn"
        σ, in the units of x. "learn" trains one for all features, "learn_diagonal" one for each.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    objective : {"pcd", "cd", "parallel_tempering", "mle", "nce", "vnce", "cnce", \
"score_matching", "sliced_score_matching", "denoising_score_matching"} or Objective, default="pcd"
        Training criterion; "mle" for at most 20 hidden units. On patches of natural images [1]_
        find contrastive divergence better than persistent chains; on standardised tables the chains
        do better.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="linear",
        max_gradient_norm=10)``; "lbfgs" wants a deterministic criterion and takes all rows at once.
    centered : bool, default=True
        Whether steps are taken in centred parameters, with the running means of the data's visible
        and hidden units as offsets [2]_. Training then does not care where the origin is.
    weight_decay : float, default=0.0
        λ of the penalty ½λ‖W‖² on all weights, biases apart, which is added to the criterion.
    sparsity_target : float, default=None
        Probability of a hidden unit, averaged over the data, that training aims at. None: there is
        no such aim.
    sparsity_cost : float, default=0.1
        Weight of the cross-entropy to that target.
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
    free_energy_gap : bool, default=False
        Whether to hold out rows and record ``free_energy_gap`` in ``history_``, for any criterion:
        the mean free energy of held-out rows minus that of as many training rows, in nats. Where
        it grows, the model overfits.
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
        W: what a hidden unit adds to the mean of x.
    intercept_visible_ : ndarray of shape (n_features,)
        a.
    intercept_hidden_ : ndarray of shape (n_components,)
        b.
    sigma_ : float, or ndarray of shape (n_features,)
        σ; an array with "learn_diagonal".
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
        ``validation_objective`` and ``free_energy_gap`` where asked for, and what the chains tell.
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
    .. [1] Melchior, Wang, Wiskott, "Gaussian-binary restricted Boltzmann machines for modeling
       natural image statistics", PLoS ONE 12(2), 2017.
    .. [2] Melchior, Fischer, Wiskott, "How to center deep Boltzmann machines", JMLR 17 (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import GaussianRBM
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat([[-2.0], [2.0]], 250, axis=0) + rng.standard_normal((500, 2)) * [0.5, 1.0]
    >>> model = GaussianRBM(4, max_iter=50, random_state=0).fit(X)
    >>> model.transform(X).shape
    (500, 4)
    >>> model.impute([[2.0, np.nan]], random_state=0)[0, 0]
    np.float64(2.0)
    """

    _parameter_constraints: dict = {
        "sigma": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"learn", "learn_diagonal"}),
        ],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_components=64,
        *,
        sigma="learn",
        sigma_floor=1e-3,
        objective="pcd",
        optimizer="auto",
        centered=True,
        weight_decay=0.0,
        sparsity_target=None,
        sparsity_cost=0.1,
        max_iter="auto",
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        free_energy_gap=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        partition="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.sigma = sigma
        self.sigma_floor = sigma_floor
        self.objective = objective
        self.optimizer = optimizer
        self.centered = centered
        self.weight_decay = weight_decay
        self.sparsity_target = sparsity_target
        self.sparsity_cost = sparsity_cost
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.free_energy_gap = free_energy_gap
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.partition = partition
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _make_energy(self, n_features):
        return GaussianRBMEnergy(n_features, self.n_components, self.sigma, self.sigma_floor)

    def _model_attributes(self, energy, theta):
        sigma = np.sqrt(energy.variances(theta)).astype(theta.dtype)
        is_diagonal = energy.scale.sigma == "learn_diagonal"
        return {
            **super()._model_attributes(energy, theta),
            "sigma_": sigma if is_diagonal else float(sigma[0]),
        }
