"""The single-layer auto-encoder with tied weights as an estimator."""

from functools import partial

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklvm._compat import StrOptions
from sklvm.base import NormalizedScoreMixin
from sklvm.energies import GaussianRBMEnergy
from sklvm.optimizers import LBFGS, OPTIMIZERS, Adam, StochasticOptimizer
from sklvm.variational._autoencoding_model import AutoencodingModel, needs_density

__all__ = ["SigmoidAutoencoder"]

DEFAULT_OPTIMIZER = partial(Adam, 0.003, schedule="cosine", max_gradient_norm=10.0)


class SigmoidAutoencoder(NormalizedScoreMixin, AutoencodingModel):
    """Auto-encoder with one layer of sigmoid units and tied weights.

    ::

        f(x) = s(Wᵀx + b),        g(z) = a + Wz,

    s the logistic sigmoid. One model, trained by one of these criteria, the means over the data of

    ::

        "score_matching"         ½‖x − g(f(x))‖² + Σ_k ‖w_k‖² s_k(1 − s_k) − d
        "point_posterior"        ½‖x − g(f(x))‖² + ‖f(x)‖²/(2τ²)
        "denoising"              ½‖x − g(f(x̃))‖²,   x̃ = x + noise
        "reconstruction_error"   ½‖x − g(f(x))‖²

    or by any other that fits the restricted Boltzmann machine with Gaussian visible units of unit
    variance, whose score is g(f(x)) − x. By score matching and these others it is that machine, and
    a density; by the last three it is an auto-encoder only. Whitened data suit the unit variance.

    Parameters
    ----------
    n_components : int, default=64
        Number K of hidden units.
    objective : str or Objective, default="score_matching"
        The training criterion: an object from :mod:`sklvm.objectives`, or its short name, for
        default settings. Those of the table are :class:`~sklvm.objectives.ScoreMatching`,
        :class:`~sklvm.objectives.PointPosteriorBound` (with τ),
        :class:`~sklvm.objectives.DenoisingReconstructionError` (with the noise's level) and
        :class:`~sklvm.objectives.ReconstructionError`.
    optimizer : {"auto", "adam", "sgd", "lbfgs"} or optimizer, default="auto"
        What minimises the criterion. "auto" is ``Adam(0.003, schedule="cosine",
        max_gradient_norm=10)``. "lbfgs" takes all rows at once, and does not go with "denoising".
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
        How log Z is found where the objective fits a density.
    warm_start : bool, default=False
        Whether ``fit`` goes on from where the last one ended.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in a fit.
    verbose : int, default=0
        1 prints a line an epoch, and how far an estimate of log Z is.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The w_k.
    intercept_visible_ : ndarray of shape (n_features,)
        a.
    intercept_hidden_ : ndarray of shape (n_components,)
        b.
    score_normalized_ : bool
        Whether ``score_samples`` is a log-density. Else it is minus ``energy``, which ranks.
    log_partition_, log_partition_std_err_ : float
        log Z and its standard error, in nats; once ``score_samples`` or ``estimate_log_partition``
        has estimated them, where the objective fits a density.
    fitted_energy_ : FittedEnergy
        The energy of ``sklvm.energies`` and its parameters θ, as ``energy`` and ``theta``.
    history_ : dict of ndarray
        Values an epoch: ``objective``, ``gradient_norm``, and ``validation_objective`` with early
        stopping.
    diagnostics_ : dict of str to Diagnosis
        What was looked at when the fit ended, each with ``value``, ``is_problem`` and ``message``;
        ``unscaled_features``, ``dead_units``, ``noise_coverage`` (of noise-contrastive criteria),
        ``tied_rows`` (of score matching), and ``convergence``.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Width of the training data.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklvm import SigmoidAutoencoder
    >>> X = StandardScaler().fit_transform(load_iris().data)
    >>> coder = SigmoidAutoencoder(8, objective="denoising", random_state=0).fit(X)
    >>> coder.reconstruct(X).shape
    (150, 4)
    """

    _shorthands = {"optimizer": {**OPTIMIZERS, "auto": DEFAULT_OPTIMIZER}}
    _parameter_constraints: dict = {
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), StochasticOptimizer, LBFGS],
    }

    def __init__(
        self,
        n_components=64,
        *,
        objective="score_matching",
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

    # -- fitting ----------------------------------------------------------------------------------

    def _make_model(self, X):
        energy = GaussianRBMEnergy(X.shape[1], self.n_components, sigma=1.0)
        return energy, self._resolve_objective(energy)

    def _has_density(self, objective):
        return objective.fits_density

    def _model_attributes(self, energy, theta):
        views = energy.layout.views(theta)
        return {
            "components_": views["weights"],
            "intercept_visible_": views["visible_bias"],
            "intercept_hidden_": views["hidden_bias"],
        }

    # -- using the model --------------------------------------------------------------------------

    sample = available_if(needs_density)(NormalizedScoreMixin.sample)
    impute = available_if(needs_density)(NormalizedScoreMixin.impute)
    estimate_log_partition = available_if(needs_density)(
        NormalizedScoreMixin.estimate_log_partition
    )

    def transform(self, X):
        """The hidden units f(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            In (0, 1).
        """
        return self._by_rows(lambda energy, theta, X: energy.posterior(theta, X), X)

    def energy(self, X):
        """The energy of each row, lower for a more normal one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            −log p̃(x), in nats, where the objective fits a density. Else the criterion of the row,
            without noise: ½‖x − g(f(x))‖², and with "point_posterior" + ‖f(x)‖²/(2τ²).
        """
        check_is_fitted(self)
        return self._by_rows(self._energy_of_rows, X)

    def _energy_of_rows(self, energy, theta, X):
        training = self._training
        if training.objective.fits_density:
            return energy.evaluate(theta, X)[0]
        return training.objective.row_losses(energy, training.parameters, X)
