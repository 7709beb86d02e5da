"""Markov random fields: densities of discrete sites that depend on their neighbours."""

from numbers import Integral, Real

import numpy as np
from scipy.special import log_softmax
from sklearn.preprocessing import binarize as threshold_rows
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import N_ANNEALING_TEMPERATURES, AutomaticOptimizerMixin, EnergyBasedModel
from sklvm.energies import PottsEnergy
from sklvm.graphs import SiteGraph, grid_graph
from sklvm.objectives import OBJECTIVES
from sklvm.partition import anneal
from sklvm.random_fields._label_images import check_grid

__all__ = ["MarkovRandomField"]

# What draws noise or flips bits knows two states alone.
_TWO_STATES_ONLY = ("nce", "cnce", "ratio_matching")


class MarkovRandomField(AutomaticOptimizerMixin, EnergyBasedModel):
    """Markov random field of discrete sites: Ising model of two states, Potts model of more.

    ::

        log p(x) = Σ_s b_s(x_s) + Σ_{s~t} J_st [x_s = x_t] − log Z,        b_s(0) = 0
        spins:  log p(x) = Σ_s h_s x_s + Σ_{s~t} J_st x_s x_t − log Z,     x_s = ±1

    Each site depends on its neighbours alone [1]_: those of a grid, or of any graph. A density of
    label images, of binary textures, of yes-or-no tables whose dependences are known.

    Parameters
    ----------
    image_shape : tuple of int, default=None
        (height, width) of the grid of sites; None: a line of the data's width.
    neighbourhood : {4, 8}, default=4
        Neighbours on the grid: without or with the diagonal ones.
    structure : array-like of bool of shape (n_features, n_features), default=None
        Which sites are neighbours, symmetric, in place of a grid; its diagonal does not matter.
    n_states : int, default=2
        States of a site.
    states : {"labels", "spin"}, default="labels"
        Values of the states: 0 to n_states − 1, or −1 and 1.
    homogeneous : bool, default=False
        Whether all sites have the same b (or h), and all neighbours the same J.
    binarize : float, default=None
        Threshold for data that are not binary: entries above it are 1, the others 0 (spins: −1).
        None: they have to be states.
    objective : {"pseudo_likelihood", "mle", "pcd", "cd", "parallel_tempering", \
"minimum_probability_flow", "ratio_matching", "nce", "cnce"} or Objective, \
default="pseudo_likelihood"
        Training criterion. "mle" where the exact sum is short: chains, trees, strips, small graphs.
        The last three for two states.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``LBFGS(value_tol=1e-7)`` for a deterministic
        criterion, else ``Adam(0.01, schedule="linear", max_gradient_norm=10)``.
    weight_decay : float, default=0.001
        λ of the penalty ½λ‖J‖², which is added to the criterion: it bounds the coupling of sites
        that are alike in all rows.
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
        How log Z is found when a score is first asked for. "auto": exactly where that is a sum of
        at most 2²⁰ terms, such as on a 10 × 10 grid, else by annealed importance sampling. An
        object sets the budget; "none" leaves log Z out, and ``score_samples`` is then log p̃.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch, and how far an estimate of log Z is.

    Attributes
    ----------
    edges_ : ndarray of shape (n_edges, 2)
        Pairs of neighbours.
    coupling_ : ndarray of shape (n_edges,) or (1,)
        J; one for all if ``homogeneous``.
    intercept_ : ndarray of shape (n_features, n_states), or (n_features,) for spins
        b, or h; one row or number if ``homogeneous``.
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
        One value an epoch: ``gradient_norm``, ``objective`` where the criterion has a value, and
        ``validation_objective`` where asked for.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    See Also
    --------
    GridConditionalRandomField : Labels given the features of pixels.
    BernoulliRBM : Binary data whose dependences are not local.

    References
    ----------
    .. [1] Besag (1974), "Spatial interaction and the statistical analysis of lattice systems",
       J. R. Statist. Soc. B 36.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import MarkovRandomField
    >>> rng = np.random.default_rng(0)
    >>> X = np.sign(np.cumsum(rng.standard_normal((500, 9)), axis=1))  # signs of random walks
    >>> model = MarkovRandomField(states="spin").fit(X)
    >>> bool(np.all(model.coupling_ > 0.5))
    True
    >>> model.impute([[1, np.nan, 1, 1, -1, np.nan, -1, -1, -1]], method="mode", random_state=0)
    array([[ 1.,  1.,  1.,  1., -1., -1., -1., -1., -1.]])
    """

    _imputations = ("mode", "mean", "draw")
    _parameter_constraints: dict = {
        "image_shape": ["array-like", None],
        "neighbourhood": [Interval(Integral, 4, 8, closed="both")],
        "structure": ["array-like", None],
        "n_states": [Interval(Integral, 2, 256, closed="both")],
        "states": [StrOptions({"labels", "spin"})],
        "homogeneous": ["boolean"],
        "binarize": [Interval(Real, None, None, closed="neither"), None],
    }

    def __init__(
        self,
        image_shape=None,
        *,
        neighbourhood=4,
        structure=None,
        n_states=2,
        states="labels",
        homogeneous=False,
        binarize=None,
        objective="pseudo_likelihood",
        optimizer="auto",
        weight_decay=0.001,
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
        self.image_shape = image_shape
        self.neighbourhood = neighbourhood
        self.structure = structure
        self.n_states = n_states
        self.states = states
        self.homogeneous = homogeneous
        self.binarize = binarize
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

    # -- the model --------------------------------------------------------------------------------

    def _make_energy(self, n_features):
        return PottsEnergy(self._graph(n_features), self.n_states, homogeneous=self.homogeneous)

    def _graph(self, n_features):
        if self.structure is not None:
            return SiteGraph(n_features, _edges_of(self.structure, n_features))
        shape, _ = check_grid(self.image_shape, 1, n_features, n_features)
        return grid_graph(shape, self.neighbourhood)

    def _check_parameters(self):
        super()._check_parameters()
        if self.neighbourhood not in (4, 8):
            raise ValueError(f"neighbourhood must be 4 or 8, got {self.neighbourhood}.")
        if self.n_states > 2:
            for name in ("states", "binarize"):
                if getattr(self, name) not in (None, "labels"):
                    raise ValueError(
                        f"{name}={getattr(self, name)!r} is for two states, got "
                        f"n_states={self.n_states}."
                    )

    def _check_model(self, energy, objective):
        super()._check_model(energy, objective)
        of_two_states = tuple(OBJECTIVES[name] for name in _TWO_STATES_ONLY)
        if self.n_states > 2 and isinstance(objective, of_two_states):
            raise ValueError(
                f"{type(objective).__name__} draws bits, or flips them: it is for two states, got "
                f"n_states={self.n_states}. Use 'pseudo_likelihood', 'mle', 'pcd', 'cd' or "
                "'parallel_tempering'."
            )

    def _model_attributes(self, energy, theta):
        parts = energy.layout.views(theta)
        biases = parts["biases"]
        if self._is_spin():
            # [x = y] = (1 + st)/2 for spins s and t, and b x = b (1 + s)/2.
            coupling, intercept = parts["coupling"] / 2, biases[:, 0] / 2
        else:
            zeros = np.zeros((len(biases), 1), dtype=biases.dtype)
            coupling, intercept = parts["coupling"], np.hstack([zeros, biases])
        return {"edges_": energy.graph.edges, "coupling_": coupling, "intercept_": intercept}

    def _is_spin(self):
        return getattr(self, "_fitted_params", vars(self))["states"] == "spin"

    # -- draws ------------------------------------------------------------------------------------

    def sample(self, n_samples=1, *, n_steps=100, init="reference", given=None, random_state=None):
        draws = super().sample(
            n_samples, n_steps=n_steps, init=init, given=given, random_state=random_state
        )
        return self._as_given(draws)

    sample.__doc__ = EnergyBasedModel.sample.__doc__

    def impute(self, X, *, method="mode", n_steps=100, random_state=None):
        """Fill missing entries from the distribution of the model given the observed ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, NaN where missing.
        method : {"mode", "mean", "draw"}, default="mode"
            "mode" fills in each entry's most probable state, by the share of states in the last
            `n_steps` sweeps of a chain with the observed entries clamped; "mean" the mean of its
            values there, for two states; "draw" a draw from p(x_missing | x_observed).
        n_steps : int, default=100
            Sweeps before the draw or the average, after annealing.
        random_state : int, RandomState instance or None, default=None
            Seed of the chains.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The data without NaN, of X's dtype; observed entries are as they were.

        Raises
        ------
        ValueError
            For bad data, for another `method`, and for means of more than two states.
        """
        check_is_fitted(self)
        if method == "mean" and self._training.energy.n_states > 2:
            raise ValueError(
                f"method='mean' is for two states, and there are {self._training.energy.n_states}: "
                "their numbers have no mean. Use 'mode' or 'draw'."
            )
        return super().impute(X, method=method, n_steps=n_steps, random_state=random_state)

    def _filling(self, given, free, method, n_steps, rng):
        if method != "mode":
            return self._as_given(super()._filling(given, free, method, n_steps, rng))
        energy, theta = self._training.energy, self._training.energy_theta
        path = self._log_partition.path(theta, free=free, current=given)
        counts, n_seen = np.zeros((*given.shape, energy.n_states)), 0

        def observe(state):
            nonlocal n_seen
            n_seen += 1
            if n_seen > n_steps:
                states = energy.site_states(path.positions(state))[:, :, np.newaxis]
                np.put_along_axis(counts, states, np.take_along_axis(counts, states, 2) + 1, 2)

        anneal(
            path,
            N_ANNEALING_TEMPERATURES,
            len(given),
            rng,
            n_last_moves=2 * n_steps,
            observe=observe,
            weighted=False,
        )
        return self._as_given(counts.argmax(axis=2).astype(given.dtype))

    # -- conditionals -----------------------------------------------------------------------------

    def pseudo_log_likelihood(self, X):
        """Σ_s log p(x_s | all others), in nats: what pseudo-likelihood maximises.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        pseudo_log_likelihood : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = self._check_X(X, ensure_all_finite=True)
        energy, theta = self._training.energy, self._training.energy_theta
        states = energy.site_states(X)[:, :, np.newaxis]
        log_p = log_softmax(energy.site_logits(theta, X)[0], axis=2)
        return np.take_along_axis(log_p, states, axis=2).sum(axis=(1, 2))

    # -- states as they are given, and as the energy has them, 0 to L − 1 -------------------------

    def _prepared(self, X, params):
        missing = np.isnan(X)
        if params["binarize"] is not None:
            states = threshold_rows(np.where(missing, 0, X), threshold=params["binarize"])
            return np.where(missing, X, states.astype(X.dtype))
        is_spin = params["states"] == "spin"
        states = (X + 1) / 2 if is_spin else X
        known = states[~missing]
        if np.any((known != np.floor(known)) | (known < 0) | (known >= params["n_states"])):
            allowed = "-1 and 1" if is_spin else f"the states 0 to {params['n_states'] - 1}"
            raise ValueError(
                f"X must hold {allowed}, got values from {X[~missing].min():g} to "
                f"{X[~missing].max():g}. For two states, binarize=threshold makes them."
            )
        return states

    def _as_given(self, states):
        return 2 * states - 1 if self._is_spin() else states


def _edges_of(structure, n_features):
    """Pairs of neighbours, from a symmetric mask."""
    mask = np.asarray(structure)
    if mask.dtype != bool or mask.shape != (n_features, n_features) or np.any(mask != mask.T):
        raise ValueError(
            f"structure must be a symmetric mask of dtype bool and shape ({n_features}, "
            f"{n_features}), got dtype {mask.dtype} and shape {mask.shape}."
        )
    return np.argwhere(np.triu(mask, 1))
