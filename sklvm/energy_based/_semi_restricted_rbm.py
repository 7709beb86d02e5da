"""The semi-restricted Boltzmann machine as an estimator."""

from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.base import binary_rows
from sklvm.energies import SemiRestrictedGaussianRBMEnergy, SemiRestrictedRBMEnergy
from sklvm.energy_based._restricted_boltzmann_machine import (
    N_MEAN_FIELD_SWEEPS,
    RestrictedBoltzmannMachine,
)
from sklvm.graphs import SiteGraph, resolve_mask
from sklvm.rows import rows_by_gaps
from sklvm.training import check_complete
from sklvm.training.links import DrawnBits, ShortenedStep

__all__ = ["SemiRestrictedRBM"]


class SemiRestrictedRBM(RestrictedBoltzmannMachine):
    """Restricted Boltzmann machine whose visible units are coupled with each other.

    ::

        log p(x, z) = −½ (x − a)ᵀΛ(x − a) + zᵀ(WΛx + b) − log Z,     real x,
        log p(x, z) = ½ xᵀJx + aᵀx + zᵀ(Wx + b) − log Z,             x ∈ {0, 1}^d,

    with hidden units z ∈ {0, 1}^K that are independent given x [1]_. The couplings see to what
    neighbours have in common, such as smoothness, so that hidden units are free for the rest. Given
    z, real x is N(a + Wᵀz, Λ⁻¹), drawn as a whole by the Cholesky factor of Λ, or of its band where
    the structure has one; bits are drawn one after the other. Λ stays positive definite: a step
    that would leave that set is made shorter. A full Λ is a whitening that is learned; its zeros
    are the point. Λ and W best start from standardised data.

    Parameters
    ----------
    n_components : int, default=64
        Number K of hidden units.
    visible : {"gaussian", "binary"}, default="gaussian"
        What x is: bits, or real numbers with normal noise.
    structure : {"full", "diagonal", "lattice"} or array-like of bool, default="full"
        Which entries of Λ, or of J, may differ from zero: all; the diagonal, which is none of J;
        those of pixels i and j within Chebyshev distance `radius` of each other on the grid
        `image_shape`; or those where a symmetric mask of shape (n_features, n_features) with a true
        diagonal is true.
    image_shape : tuple of int, default=None
        Grid of the "lattice" structure, in C order of the features; None: a line of the data's
        width.
    radius : int, default=2
        Reach of the "lattice" structure: on a plane 1 means 9 neighbours, 2 means 25, the pixel
        itself counted.
    binarize : float, "dynamic" or None, default=None
        What is made of data that are not binary. A float is a threshold: entries above it are 1,
        the others 0, in all data. "dynamic" is for probabilities in [0, 1], such as grey levels:
        every training step takes bits drawn with them, so that no two epochs see the same data;
        all other methods take them as they are. None takes binary data, or probabilities, as they
        are.
    objective : {"pcd", "cd", "parallel_tempering", "mle", "nce", "vnce", "cnce", \
"score_matching", "sliced_score_matching", "denoising_score_matching", "pseudo_likelihood", \
"ratio_matching", "minimum_probability_flow"} or Objective, default="pcd"
        Training criterion. Those with "score" in their names are for real data, the last three for
        bits; "mle" is for at most 20 hidden units, and of bits for at most 20 visible ones.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="linear",
        max_gradient_norm=10)``; "lbfgs" wants a deterministic criterion and takes all rows at once.
    centered : bool, default=True
        Whether steps are taken in centred parameters, with the running means of the data's visible
        and hidden units as offsets.
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
    precision_ : ndarray of shape (n_features, n_features)
        Λ; for real data.
    coupling_ : ndarray of shape (n_features, n_features)
        J; for bits.
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
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    References
    ----------
    .. [1] Osindero, Hinton, "Modeling image patches with a directed hierarchy of Markov random
       fields", NIPS 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import SemiRestrictedRBM
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 4)) + np.repeat(rng.standard_normal((500, 2)), 2, axis=1)
    >>> model = SemiRestrictedRBM(2, structure="lattice", radius=1, max_iter=20, random_state=0)
    >>> (model.fit(X).precision_ == 0).astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 0, 1],
           [1, 0, 0, 0],
           [1, 1, 0, 0]])
    """

    _parameter_constraints: dict = {
        "visible": [StrOptions({"gaussian", "binary"})],
        "structure": [StrOptions({"full", "diagonal", "lattice"}), "array-like"],
        "image_shape": ["array-like", None],
        "radius": [Interval(Integral, 0, None, closed="left")],
        "binarize": [Interval(Real, None, None, closed="neither"), StrOptions({"dynamic"}), None],
    }

    def __init__(
        self,
        n_components=64,
        *,
        visible="gaussian",
        structure="full",
        image_shape=None,
        radius=2,
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
        self.visible = visible
        self.structure = structure
        self.image_shape = image_shape
        self.radius = radius
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

    def _prepared(self, X, params):
        if params["visible"] == "gaussian":
            return X
        return binary_rows(X, params["binarize"], "scale X, or use visible='gaussian'")

    def _check_parameters(self):
        super()._check_parameters()
        if self.binarize is not None and self.visible != "binary":
            raise ValueError(
                f"binarize={self.binarize!r} is for bits, which visible={self.visible!r} does not "
                "model. Use visible='binary', or binarize=None."
            )

    def _make_energy(self, n_features):
        shape = (n_features,) if self.image_shape is None else self.image_shape
        mask = resolve_mask(self.structure, n_features, shape, self.radius)
        if self.visible == "gaussian":
            return SemiRestrictedGaussianRBMEnergy(n_features, self.n_components, mask)
        graph = None if mask.all() else SiteGraph(n_features, np.argwhere(np.triu(mask, 1)))
        return SemiRestrictedRBMEnergy(n_features, self.n_components, graph)

    def _links(self, energy, objective, optimizer):
        links = super()._links(energy, objective, optimizer)
        if self.visible == "binary":
            return [*[DrawnBits()] * (self.binarize == "dynamic"), *links]
        layout = energy.layout + objective.own_layout(energy)
        return [*links, ShortenedStep(layout, energy.is_proper, "a positive definite precision")]

    def _transform_rows(self, energy, theta, X):
        missing = np.isnan(X)
        if not missing.any():
            return energy.posterior(theta, X)
        check_complete(self._training.optimizer, X)
        X = np.where(missing, self._training.visible_mean, X)
        for rows, free in rows_by_gaps(np.where(missing, np.nan, X)):
            for _ in range(N_MEAN_FIELD_SWEEPS if free.any() else 0):
                Z = energy.posterior(theta, X[rows])
                X[rows] = energy.given_mean(theta, Z, X[rows], free)
        return energy.posterior(theta, X)

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        attributes = {"intercept_hidden_": views["hidden_bias"]}
        if self._fitted_params["visible"] == "binary":
            return {
                **attributes,
                "components_": views["weights"],
                "intercept_visible_": views["visible_bias"],
                "coupling_": energy.couplings.matrix(views["coupling"]),
            }
        bias = energy.visible_mean(theta, np.zeros((1, energy.n_components), dtype=theta.dtype))
        identity = np.eye(energy.n_components, dtype=theta.dtype)
        return {
            **attributes,
            "components_": energy.visible_mean(theta, identity) - bias,
            "intercept_visible_": bias[0],
            "precision_": energy.precision(theta),
        }
