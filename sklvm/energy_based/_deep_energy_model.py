"""The deep energy model as an estimator."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy.optimize import minimize
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import Interval, StrOptions
from sklvm.base import generator_from
from sklvm.energies import DeepEnergy
from sklvm.energy_based._base import LatentEnergyBasedModel
from sklvm.energy_based._growing_training import GrowingTraining
from sklvm.networks import ACTIVATIONS, check_layer_sizes
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.partition import AnnealedImportanceSampling
from sklvm.rows import starting_rows
from sklvm.training.links import FrozenParameters

__all__ = ["DeepEnergyModel"]

DEFAULT_OPTIMIZER = partial(Adam, 0.01, schedule="cosine", max_gradient_norm=10.0)


class DeepEnergyModel(LatentEnergyBasedModel):
    """Deep energy model: a perceptron under binary hidden units.

    ::

        log p(x) = −‖x‖²/(2σ²) + bᵀx + Σ_k S(w_kᵀ g(x) + c_k) − log Z,   S(u) = log(1 + eᵘ),

    with g a multi-layer perceptron and K hidden units z_k ∈ {0, 1} summed out [1]_, [2]_. Without
    hidden layers it is a restricted Boltzmann machine with Gaussian visible units. x is real;
    standardised or whitened data suit it best.

    Parameters
    ----------
    n_components : int, default=64
        Number K of hidden units.
    hidden_layer_sizes : tuple of int, or int, default=(64,)
        Widths of g's layers; () makes g the identity.
    activation : {"identity", "sigmoid", "softplus", "tanh"}, default="sigmoid"
        Activation of g's layers; score matching asks for its second and third derivatives.
    growth : {"layerwise", "greedy"} or None, default=None
        How g comes to its layers. None trains all from the start. "layerwise" begins with the first
        and adds one after the other, each in its share of the ``max_iter`` epochs; a new layer
        begins so that the energy does not jump, and all are trained on [1]_. "greedy" leaves the
        layers below the new one as they are. Layers must not get narrower from x to z.
    hidden_bias : bool, default=True
        Whether g's layers have biases; g(x) = s(Vx) has none.
    sigma : float or "learn", default="learn"
        σ, in the units of x; "learn" learns it.
    sigma_floor : float, default=1e-3
        A learned σ stays above it, in the units of x.
    objective : {"score_matching", "sliced_score_matching", "denoising_score_matching", "nce", \
"vnce", "cnce", "cd", "pcd"} or Objective, default="denoising_score_matching"
        Training criterion. The default fits the density of the data with noise of standard
        deviation 0.3 in each feature, which suits standardised data: it costs a tenth of exact
        score matching, has a lower bound on any data, and does not sharpen where rows are equal.
    optimizer : {"auto", "adam", "sgd", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.01, schedule="cosine",
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
    partition : {"auto", "ais", "none"} or AnnealedImportanceSampling, default="auto"
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
    coefs_ : list of ndarray
        Weights of the layers; the first has shape (hidden_layer_sizes[0], n_features), the last, W,
        has shape (n_components, hidden_layer_sizes[-1]).
    intercepts_ : list of ndarray
        Biases of the layers, the last one c; zeros where ``hidden_bias=False``.
    components_ : ndarray of shape (n_components, n_features)
        W, where there is no hidden layer.
    intercept_visible_ : ndarray of shape (n_features,)
        b.
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
        One value an epoch: ``objective``, ``gradient_norm``, ``validation_objective``; by "cd" and
        "pcd" the chains' ``acceptance_rate`` and ``step_size``; with growth ``n_layers``, the
        hidden layers of that epoch.
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
    .. [1] Ngiam, Chen, Koh, Ng, "Learning deep energy models", ICML 2011.
    .. [2] Köster, Hyvärinen, "A two-layer model of natural stimuli estimated with score matching",
       Neural Computation 22 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import DeepEnergyModel
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 2)) * [1.0, 0.3]
    >>> model = DeepEnergyModel(4, hidden_layer_sizes=(8,), random_state=0).fit(X)
    >>> model.transform(X).shape
    (500, 4)
    >>> bool(model.score_samples([[0.0, 0.0]])[0] > model.score_samples([[0.0, 3.0]])[0])
    True
    """

    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER}}
    _value_hints = {
        "activation": {
            "relu": " Derivatives in x must be continuous: 'softplus' is the smooth form of it."
        }
    }
    _parameter_constraints: dict = {
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
        "hidden_layer_sizes": [tuple, list, Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({name for name, f in ACTIVATIONS.items() if f.is_smooth})],
        "growth": [StrOptions({"layerwise", "greedy"}), None],
        "hidden_bias": ["boolean"],
        "sigma": [Interval(Real, 0, None, closed="neither"), StrOptions({"learn"})],
        "sigma_floor": [Interval(Real, 0, None, closed="neither")],
        "partition": [StrOptions({"auto", "ais", "none"}), AnnealedImportanceSampling],
    }

    def __init__(
        self,
        n_components=64,
        *,
        hidden_layer_sizes=(64,),
        activation="sigmoid",
        growth=None,
        hidden_bias=True,
        sigma="learn",
        sigma_floor=1e-3,
        objective="denoising_score_matching",
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.growth = growth
        self.hidden_bias = hidden_bias
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

    def gradient(self, X):
        """∇ₓ log p(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            In nats per unit of x.
        """
        return self._by_rows(lambda energy, theta, X: energy.energy_and_score(theta, X)[1], X)

    def modes(self, X_init, *, max_iter=500, tol=1e-6):
        """Local maxima of the density, reached from given starts by L-BFGS.

        Parameters
        ----------
        X_init : array-like of shape (n_samples, n_features)
            Starts.
        max_iter : int, default=500
            Iterations from each start.
        tol : float, default=1e-6
            Stop where no entry of the gradient is larger.

        Returns
        -------
        modes : ndarray of shape (n_samples, n_features)
            Where each start ends.
        log_densities : ndarray of shape (n_samples,)
            Their ``score_samples``.
        """
        check_is_fitted(self)
        X_init = self._check_X(X_init)
        theta = self._training.energy_theta.astype(np.float64)

        def negative_log_density(x):
            energy, psi = self._training.energy.energy_and_score(theta, x[np.newaxis])
            return energy[0], -psi[0]

        modes = np.empty_like(X_init)
        for mode, start in zip(modes, X_init.astype(np.float64), strict=True):
            mode[...] = minimize(
                negative_log_density,
                start,
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": max_iter, "gtol": tol, "ftol": 0.0},
            ).x
        return modes, self.score_samples(modes)

    def _start(self, X, weights):
        if self.growth is None:
            return super()._start(X, weights)
        (energy, objective, optimizer), _ = self._checked_parts(X)
        if optimizer.full_batch:
            raise ValueError(
                f"growth={self.growth!r} adds layers between epochs, which "
                f"{type(optimizer).__name__} has none of. Use optimizer='adam' or 'sgd'."
            )
        sizes = check_layer_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        stages = [self._make_energy(X.shape[1], sizes[:n]) for n in range(1, len(sizes))]
        stages.append(energy)
        links = [self._stage_links(stage, objective, optimizer) for stage in stages]
        rng = generator_from(self.random_state)
        start = starting_rows(X, weights, rng)
        return GrowingTraining(stages, objective, optimizer, *start, rng, links=links)

    def _publish(self):
        super()._publish()
        # The energy may have grown since the fit began.
        self._log_partition.energy = self._training.energy

    def _stage_links(self, energy, objective, optimizer):
        links = self._links(energy, objective, optimizer)
        if self.growth == "greedy":
            layout = energy.layout + objective.own_layout(energy)
            below = range(energy.network.n_layers - 2)
            names = {f"{kind}_{layer}" for kind in ("coefs", "intercepts") for layer in below}
            links.append(FrozenParameters(layout, names & layout.keys(), "growth='greedy'"))
        return links

    def _check_model(self, energy, objective):
        super()._check_model(energy, objective)
        sizes = check_layer_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        if self.growth is None:
            return
        if not sizes:
            raise ValueError(
                f"growth={self.growth!r} adds hidden layers, and hidden_layer_sizes={sizes!r} has "
                "none. Use growth=None."
            )
        if any(np.diff(sizes) < 0) or self.activation == "softplus":
            raise ValueError(
                f"growth={self.growth!r} starts a layer as the identity: it needs an activation "
                "'identity', 'sigmoid' or 'tanh', and layers no narrower than the one below, got "
                f"activation={self.activation!r} and hidden_layer_sizes={sizes!r}."
            )

    def _check_streamable(self):
        if self.growth is not None:
            raise AttributeError(
                f"growth={self.growth!r} divides the epochs of a fit: there is no partial_fit."
            )
        return super()._check_streamable()

    def _make_energy(self, n_features, hidden_layer_sizes=None):
        sizes = self.hidden_layer_sizes if hidden_layer_sizes is None else hidden_layer_sizes
        return DeepEnergy(
            n_features,
            self.n_components,
            check_layer_sizes(sizes, "hidden_layer_sizes"),
            self.activation,
            self.hidden_bias,
            self.sigma,
            self.sigma_floor,
        )

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        network = energy.network
        coefs = network.coefs(views)
        attributes = {
            "coefs_": coefs,
            "intercepts_": [
                views.get(f"intercepts_{layer}", np.zeros(len(coef), dtype=theta.dtype))
                for layer, coef in enumerate(coefs)
            ],
            "intercept_visible_": views["visible_bias"],
            "sigma_": energy.curvature(theta) ** -0.5,
        }
        return attributes if network.n_layers > 1 else {**attributes, "components_": coefs[0]}
