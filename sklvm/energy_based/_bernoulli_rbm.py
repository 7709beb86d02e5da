"""The restricted Boltzmann machine for binary data, as an estimator."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.base import binary_rows
from sklvm.energies import BernoulliRBMEnergy
from sklvm.energy_based._restricted_boltzmann_machine import RestrictedBoltzmannMachine
from sklvm.kernels import softplus
from sklvm.training.links import DrawnBits

__all__ = ["BernoulliRBM"]


class BernoulliRBM(RestrictedBoltzmannMachine):
    """Restricted Boltzmann machine with binary visible and hidden units.

    ::

        log p(x, z) = zᵀWx + aᵀx + bᵀz − log Z,        x ∈ {0, 1}^d, z ∈ {0, 1}^K,
        log p(x) = aᵀx + Σ_k S(w_kᵀx + b_k) − log Z,   S(u) = log(1 + eᵘ),

    w_k the rows of W [1]_. Takes dense and CSR data, made dense a batch at a time, and missing
    entries (NaN), which are drawn from the model given the observed ones while it trains. At
    probabilities in the place of bits the formulas are evaluated as they stand: log p is convex in
    x, and so a lower bound of its mean over bits drawn with them.

    Parameters
    ----------
    n_components : int, default=64
        Number K of hidden units.
    binarize : float, "dynamic" or None, default=None
        What is made of data that are not binary. A float is a threshold: entries above it are 1,
        the others 0, in all data. "dynamic" is for probabilities in [0, 1], such as grey levels:
        every training step takes bits drawn with them, so that no two epochs see the same data;
        all other methods take them as they are. None takes binary data, or probabilities, as they
        are.
    objective : {"pcd", "cd", "parallel_tempering", "mle", "pseudo_likelihood", "ratio_matching", \
"minimum_probability_flow", "nce", "vnce", "cnce"} or Objective, default="pcd"
        Training criterion; "mle" for at most 20 hidden or visible units.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="linear",
        max_gradient_norm=10)``; "lbfgs" wants a deterministic criterion and takes all rows at once.
    centered : bool, default=True
        Whether steps are taken in centred parameters, with the running means of the data's visible
        and hidden units as offsets [2]_. Training then does not care whether a feature or its
        complement is given.
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
        W.
    intercept_visible_ : ndarray of shape (n_features,)
        a.
    intercept_hidden_ : ndarray of shape (n_components,)
        b.
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
        ``dead_units``, and ``convergence`` where the criterion has a value or ``tol`` is positive.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Smolensky, "Information processing in dynamical systems", 1986; Hinton, "Training
       products of experts by minimizing contrastive divergence", Neural Computation 14 (2002).
    .. [2] Melchior, Fischer, Wiskott, "How to center deep Boltzmann machines", JMLR 17 (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import BernoulliRBM
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 100, axis=0)
    >>> model = BernoulliRBM(2, max_iter=200, random_state=0).fit(X)
    >>> scores = model.score_samples([[1, 1, 0, 0], [1, 0, 1, 0]])
    >>> bool(scores[0] > scores[1] + 2)
    True
    >>> model.sample(3, given=[1, np.nan, np.nan, 0], random_state=0)[:, [0, 3]]
    array([[1., 0.],
           [1., 0.],
           [1., 0.]])
    """

    _validation = {"accept_sparse": "csr"}
    _parameter_constraints: dict = {
        "binarize": [Interval(Real, None, None, closed="neither"), StrOptions({"dynamic"}), None],
    }

    def __init__(
        self,
        n_components=64,
        *,
        binarize=None,
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
        self.binarize = binarize
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

    def pseudo_log_likelihood(self, X):
        """Σ_j log p(x_j | all others), in nats: the exact sum over all flips of one unit.

        Besag's pseudo-likelihood. It needs no log Z, and is no log-density.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Binary data.

        Returns
        -------
        pseudo_log_likelihood : ndarray of shape (n_samples,)
            One value a row.

        Raises
        ------
        ValueError
            For data that are not binary.
        """
        return self._by_rows(self._pseudo_log_likelihood_rows, X)

    def _pseudo_log_likelihood_rows(self, energy, theta, X):
        if not np.all((X == 0) | (X == 1)):
            raise ValueError("pseudo_log_likelihood needs data of 0 and 1; set binarize=threshold.")
        logits, _ = energy.flip_logits(theta, X)
        return -softplus((1 - 2 * X) * logits).sum(axis=1)

    def _prepared(self, X, params):
        return binary_rows(X, params["binarize"], "or scale the data")

    def _links(self, energy, objective, optimizer):
        bits = [DrawnBits()] if self.binarize == "dynamic" else []
        return [*bits, *super()._links(energy, objective, optimizer)]

    def _make_energy(self, n_features):
        return BernoulliRBMEnergy(n_features, self.n_components)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
