"""Boltzmann machines: densities of binary units that are coupled in pairs."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import AutomaticOptimizerMixin, check_latent_rows
from sklvm.energies import BoltzmannMachineEnergy, HiddenBoltzmannMachineEnergy
from sklvm.energy_based._base import LatentEnergyBasedModel
from sklvm.energy_based._bits_or_spins import BitsOrSpinsMixin
from sklvm.energy_based._conditionals import ConditionalMixin
from sklvm.energy_based._masks import check_free
from sklvm.graphs import SiteGraph, resolve_mask
from sklvm.kernels import softplus
from sklvm.training import check_complete
from sklvm.training.links import Centring

__all__ = ["BoltzmannMachine"]

# Of the mean-field equations, for missing entries.
N_MEAN_FIELD_SWEEPS = 100


class BoltzmannMachine(
    BitsOrSpinsMixin, ConditionalMixin, AutomaticOptimizerMixin, LatentEnergyBasedModel
):
    """Boltzmann machine: binary units with couplings in pairs, all visible or some hidden [1]_. ::

        log p(x) = ½ xᵀJx + aᵀx − log Z,                                    x ∈ {0, 1}^d,
        log p(x, z) = ½ xᵀJx + aᵀx + zᵀWx + bᵀz + ½ zᵀMz − log Z,            z ∈ {0, 1}^K,

    J and M symmetric with diagonal 0. Without hidden units it is the distribution of largest
    entropy with the means and correlations of the data, or Ising model, and most criteria are
    convex. A restricted machine (``BernoulliRBM``) has J = M = 0; here hidden units are summed out.

    Parameters
    ----------
    n_components : int, default=0
        Number K of hidden units, at most 12; 0: all units are visible.
    structure : {"full", "diagonal", "lattice"} or array-like of bool, default="full"
        Which entries of J may differ from zero: all; none; those of pixels i and j within Chebyshev
        distance `radius` of each other on the grid `image_shape`; or those where a symmetric mask
        of shape (n_features, n_features) with a true diagonal is true.
    image_shape : tuple of int, default=None
        Grid of the "lattice" structure, in C order of the features; None: a line of the data's
        width.
    radius : int, default=2
        Reach of the "lattice" structure: on a plane 1 means 9 neighbours, 2 means 25, the pixel
        itself counted.
    states : {"bits", "spin"}, default="bits"
        Values of the visible units: 0 and 1, or −1 and 1.
    binarize : float, default=None
        Threshold for data that are not binary: entries above it are 1, the others 0 (spins: −1).
        None takes binary data, or for bits probabilities, as they are.
    objective : {"pseudo_likelihood", "mle", "pcd", "cd", "parallel_tempering", "ratio_matching", \
"minimum_probability_flow", "nce", "cnce", "vnce"} or Objective, default="pseudo_likelihood"
        Training criterion. "mle" for at most 20 units in all; "vnce" with hidden units.
    optimizer : {"auto", "sgd", "adam", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``LBFGS(value_tol=1e-7)`` for a deterministic
        criterion, else ``Adam(0.01, schedule="linear", max_gradient_norm=10)``.
    centered : bool, default=True
        Whether stochastic optimisers take their steps in centred parameters, with running means of
        the data's units as offsets.
    weight_decay : float, default=0.001
        λ of the penalty ½λ(‖J‖² + ‖W‖² + ‖M‖²), one number a pair, which is added to the
        criterion: it bounds the coupling of units that are alike in all rows.
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
    coupling_ : ndarray of shape (n_features, n_features)
        J; of spins s the matrix of ½ sᵀJs.
    intercept_ : ndarray of shape (n_features,)
        a; of spins that of aᵀs.
    components_ : ndarray of shape (n_components, n_features)
        W, and of spins that of zᵀWs; this and the next two with hidden units.
    coupling_hidden_ : ndarray of shape (n_components, n_components)
        M.
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
        ``validation_objective`` where asked for, and what the chains tell.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    See Also
    --------
    BernoulliRBM : Any number of hidden units, none of them coupled with one another.
    MarkovRandomField : Units of several states on a grid or another sparse graph.
    HopfieldNetwork : Couplings that store given patterns.

    References
    ----------
    .. [1] Ackley, Hinton, Sejnowski, "A learning algorithm for Boltzmann machines", Cognitive
       Science 9 (1985).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import BoltzmannMachine
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.integers(0, 2, (300, 2)), 3, axis=1) ^ (rng.random((300, 6)) < 0.1)
    >>> model = BoltzmannMachine().fit(X)
    >>> (model.coupling_[0] > 1).astype(int)  # the first unit goes with the two beside it
    array([0, 1, 1, 0, 0, 0])
    >>> model.impute([[1, np.nan, 1, 0, 0, np.nan]], random_state=0).round()
    array([[1., 1., 1., 0., 0., 0.]])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 0, 12, closed="both")],
        "structure": [StrOptions({"full", "diagonal", "lattice"}), "array-like"],
        "image_shape": ["array-like", None],
        "radius": [Interval(Integral, 0, None, closed="left")],
        "centered": ["boolean"],
    }

    def __init__(
        self,
        n_components=0,
        *,
        structure="full",
        image_shape=None,
        radius=2,
        states="bits",
        binarize=None,
        objective="pseudo_likelihood",
        optimizer="auto",
        centered=True,
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
        self.n_components = n_components
        self.structure = structure
        self.image_shape = image_shape
        self.radius = radius
        self.states = states
        self.binarize = binarize
        self.objective = objective
        self.optimizer = optimizer
        self.centered = centered
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
        shape = (n_features,) if self.image_shape is None else self.image_shape
        mask = resolve_mask(self.structure, n_features, shape, self.radius)
        # All pairs are a matter of dense products.
        graph = None if mask.all() else SiteGraph(n_features, np.argwhere(np.triu(mask, 1)))
        if self.n_components == 0:
            return BoltzmannMachineEnergy(n_features, graph)
        return HiddenBoltzmannMachineEnergy(n_features, self.n_components, graph)

    def _links(self, energy, objective, optimizer):
        links = super()._links(energy, objective, optimizer)
        # L-BFGS has no need of centred parameters.
        return links if optimizer.full_batch else [*[Centring(energy)] * self.centered, *links]

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        J, a = energy.couplings.matrix(views["coupling"]), views["visible_bias"]
        if self._is_spin():
            # x = (1 + s)/2 in ½ xᵀJx + aᵀx.
            J, a = J / 4, a / 2 + J.sum(axis=1) / 4
        visible = {"coupling_": J, "intercept_": a}
        if energy.n_components == 0:
            return visible
        W, b = views["weights"], views["hidden_bias"]
        if self._is_spin():
            W, b = W / 2, b + W.sum(axis=1) / 2
        return visible | {
            "components_": W,
            "coupling_hidden_": energy.hidden_couplings.matrix(views["hidden_coupling"]),
            "intercept_hidden_": b,
        }

    # -- using the model --------------------------------------------------------------------------

    def energy(self, X):
        """E(x; θ) = −log p̃(x), hidden units summed out, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Missing entries (NaN) are summed out as well: exactly where they and the hidden
            units are at most 20, else by annealing with the observed units clamped, a run for each
            row.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            The energies; lower is more probable.
        """
        return self._by_rows(self._energy_rows, X)

    def _long_log_sum(self, energy, theta, X, free):
        budget, seed = self._log_partition.budget, [self._training.seed, self._training.n_steps]
        paths = (self._log_partition.path(theta, free, x[np.newaxis]) for x in X)
        estimates = (budget.estimate(path, np.random.default_rng(seed)) for path in paths)
        return np.array([estimate.value for estimate in estimates])

    def conditional_log_proba(self, X, free):
        """log p(x_free | x_others), in nats.

        Free of log Z: the free units of a Boltzmann machine are one again, given the others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Complete data.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features)
            Which units' distribution is asked for; the others are given.

        Returns
        -------
        log_proba : ndarray of shape (n_samples,)
            Exact where the free and the hidden units are at most 20. Else the normaliser of each
            row is estimated by annealing with the others clamped, with the budget that `partition`
            set: it comes out too low rather than too high, and the probability too high.

        Raises
        ------
        ValueError
            For a mask of another shape, and for missing entries.
        """
        return super().conditional_log_proba(X, free)

    def modes(self, X_init, free=None):
        """Local maxima of p(x): rows that no change of a single unit makes more probable.

        From each start, units go one after the other to their more probable state given all others,
        hidden units summed out, until none changes: recall, as in a Hopfield network.

        Parameters
        ----------
        X_init : array-like of shape (n_samples, n_features)
            Starts.
        free : array-like of bool of shape (n_features,) or (n_samples, n_features), default=None
            The units that may change. None: all.

        Returns
        -------
        modes : ndarray of shape (n_samples, n_features)
            Where each start ends.
        log_densities : ndarray of shape (n_samples,)
            Their ``score_samples``.

        Raises
        ------
        ValueError
            For a mask of another shape, and for missing entries.
        """
        check_is_fitted(self)
        X = self._check_X(X_init, ensure_all_finite=True)
        free = check_free(free, X.shape)
        energy, theta = self._training.energy, self._training.energy_theta
        bits = energy.settle(theta, X, free)
        log_densities = -energy.evaluate(theta, bits)[0]
        if self.score_normalized_:
            log_densities -= self._log_partition.values(theta, self._training.n_steps, bits)
        return self._as_given(bits), log_densities

    def transform(self, X):
        """Probabilities of the hidden units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data. Missing entries (NaN) stand at their mean-field value, a fixed point of x = s(Jx +
            a + Wᵀz), z = p(z = 1 | x) in those entries.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            p(z_k = 1 | x).

        Raises
        ------
        ValueError
            For missing entries after a fit by L-BFGS, which takes complete rows only; ``impute``
            fills them.
        """
        return self._by_rows(self._transform_rows, X)

    def _transform_rows(self, energy, theta, X):
        missing = np.isnan(X)
        check_complete(self._training.optimizer, X)
        X = np.where(missing, self._training.visible_mean, X)
        for _ in range(N_MEAN_FIELD_SWEEPS if missing.any() else 0):
            mean = energy.visible_step(theta, X, energy.posterior(theta, X))
            X = np.where(missing, mean, X)
        return energy.posterior(theta, X)

    def inverse_transform(self, Z):
        """Means of the visible units given the hidden ones, by mean field.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            States of the hidden units, or their probabilities.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A fixed point of x = s(Jx + a + Wᵀz); it is E[x | z] where J = 0.

        Raises
        ------
        ValueError
            For another number of columns.
        """
        check_is_fitted(self)
        Z = check_latent_rows(self, Z, self._training.energy.n_components)
        mean = self._training.energy.visible_mean(self._training.energy_theta, Z)
        return self._as_given(mean)

    def pseudo_log_likelihood(self, X):
        """Σ_j log p(x_j | all others), in nats: what pseudo-likelihood maximises.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        pseudo_log_likelihood : ndarray of shape (n_samples,)
        """
        return self._by_rows(self._pseudo_log_likelihood_rows, X)

    def _pseudo_log_likelihood_rows(self, energy, theta, X):
        signs = 2 * energy.site_states(X).astype(X.dtype) - 1
        return -softplus(-signs * energy.flip_logits(theta, X)[0]).sum(axis=1)
