"""How a grid field learns: L-BFGS on its criterion, or Adam on contrastive divergence."""

import numpy as np

from sklvm.objectives import MaximumLikelihood, PseudoLikelihood
from sklvm.optimizers import Adam
from sklvm.random_fields._elastic_net import minimize_elastic_net
from sklvm.random_fields._grid_contrastive_divergence import GridContrastiveDivergence
from sklvm.random_fields._grid_likelihood import GridLikelihood
from sklvm.random_fields._grid_pseudo_likelihood import GridPseudoLikelihood
from sklvm.random_fields._grid_surrogate_likelihood import GridSurrogateLikelihood
from sklvm.random_fields.inference import INFERENCES, BeliefPropagation, Exact
from sklvm.rows import slices
from sklvm.settings import resolve

__all__ = ["train"]


def train(settings, potentials, data, objective, rng, monitor, make_callbacks):
    """θ of the least criterion.

    Parameters
    ----------
    settings : GridConditionalRandomField
        For its parameters.
    potentials : GridPotentials
    data : tuple
        Features of sites and of edges, labels, weights of the images.
    objective : Objective
    rng : Generator
    monitor : Monitor
    make_callbacks : callable
        From a function () → current θ to the callbacks of the fit.

    Returns
    -------
    theta : ndarray
    message : str or None
        Why it did not converge; None where it did.
    """
    labels, weights = data[2], data[3]
    # The penalty stands next to a sum over pixels, the criterion is their mean.
    total = weights @ (labels >= 0).sum(axis=1)
    coupling_alpha = settings.alpha if settings.coupling_alpha is None else settings.coupling_alpha
    l2 = potentials.penalties(settings.alpha, coupling_alpha) / total
    if isinstance(objective, PseudoLikelihood):
        criterion = GridPseudoLikelihood(potentials, *data)
    elif isinstance(objective, MaximumLikelihood):
        criterion = _likelihood(settings, potentials, data)
    else:
        return _by_chains(settings, potentials, data, objective, l2, rng, monitor, make_callbacks)
    theta = np.zeros(potentials.layout.size)
    callbacks = make_callbacks(lambda: theta)
    callbacks.begin_epoch()

    def on_iteration(new, value):
        nonlocal theta
        theta = new
        monitor.record(objective=value)
        was_stopped = callbacks.end_epoch()
        if not was_stopped and len(monitor.records) < settings.max_iter:
            callbacks.begin_epoch()
        return was_stopped

    theta, _, message = minimize_elastic_net(
        criterion,
        theta,
        potentials.n_penalized,
        l1=0.0,
        l2=l2,
        max_iter=settings.max_iter,
        tol=settings.tol,
        on_iteration=on_iteration,
    )
    callbacks.end()
    return theta, message


def _likelihood(settings, potentials, data):
    """Exact where it can be, else with log Z by inference."""
    method = Exact()
    if settings.inference != "auto":
        method = resolve(settings.inference, INFERENCES, "inference", type(settings).__name__)
    if isinstance(method, Exact):
        elimination = method.find(potentials.graph, potentials.n_labels)
        if elimination is not None:
            return GridLikelihood(potentials, elimination, *data)
        if settings.inference != "auto":
            method.elimination(potentials.graph, potentials.n_labels)
        method = BeliefPropagation(True)
    if not method.has_log_partition:
        raise ValueError(
            f"objective='mle' takes log Z, which {type(method).__name__} does not have. Train with "
            "inference='auto', 'belief_propagation' or 'mean_field', and set another for predict."
        )
    return GridSurrogateLikelihood(potentials, method, *data)


def _by_chains(settings, potentials, data, objective, l2, rng, monitor, make_callbacks):
    site_features, edge_features, labels, weights = data
    used = np.flatnonzero((weights > 0) & (labels >= 0).any(axis=1))
    chains = GridContrastiveDivergence(
        potentials,
        site_features,
        edge_features,
        labels,
        weights / weights[used].mean(),
        n_steps=objective.n_steps,
        is_persistent=hasattr(objective, "n_chains"),
        seed=int(rng.integers(2**63)),
    )
    theta = np.zeros(potentials.layout.size)
    optimizer = Adam(settings.learning_rate, schedule="linear")
    batches = slices(len(used), settings.batch_size)
    state = optimizer.init(theta, settings.max_iter * len(batches))
    callbacks = make_callbacks(lambda: theta)
    for _ in range(settings.max_iter):
        callbacks.begin_epoch()
        order = rng.permutation(used)
        for batch in batches:
            gradient = chains.gradient(theta, order[batch])
            gradient[: potentials.n_penalized] += l2 * theta[: potentials.n_penalized]
            optimizer.step(theta, gradient, state)
        monitor.record(gradient_norm=float(np.sqrt(gradient @ gradient)))
        if callbacks.end_epoch():
            break
    callbacks.end()
    return theta, None
