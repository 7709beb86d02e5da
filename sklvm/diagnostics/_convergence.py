"""Whether a fit ended because it had converged, or because its time was up."""

from sklvm.diagnostics._diagnosis import Diagnosis
from sklvm.training import recent_gain

__all__ = ["convergence"]

# Fewer epochs have no thirds to compare.
MIN_EPOCHS = 6
# The criterion still falls fast where its last third has this share of the whole gain, and it is
# this many times its standard error.
FAST_SHARE, MIN_Z = 0.2, 4.0


def convergence(monitor, learner, *, tol):
    """The share that the last third of the epochs had in all that the criterion gained.

    Parameters
    ----------
    monitor : Monitor
    learner : Learner
    tol : float
        Of the estimator's stopping rule; 0: it has none.

    Returns
    -------
    diagnosis : Diagnosis or None
        NaN where the criterion has no value, or the epochs are too few to tell; then there is a
        problem only if the stopping rule was not met. None after a fit of no epochs, or one that a
        callback ended.
    """
    if monitor.was_interrupted or not monitor.records or monitor.max_iter == 0:
        return None
    share, falls_fast = _share_of_last_third(monitor.records)
    has_ended = monitor.converged or monitor.is_settled
    if learner.converged is not None:
        is_unmet = not (monitor.converged or learner.converged)
    else:
        is_unmet = tol > 0 and not has_ended
    if is_unmet:
        message = (
            f"The fit did not converge in max_iter={monitor.max_iter} iterations. Raise max_iter "
            "or tol."
        )
        return Diagnosis(share, True, message)
    return Diagnosis.of(
        share,
        falls_fast and not has_ended and learner.converged is None,
        f"The criterion was still falling when the fit ended: the last third of its "
        f"{len(monitor.records)} epochs has {share:.0%} of the whole gain. Raise max_iter.",
    )


def _share_of_last_third(records):
    name = "validation_objective" if "validation_objective" in records[-1] else "objective"
    values = [record[name] for record in records if name in record]
    if len(values) < MIN_EPOCHS:
        return float("nan"), False
    gain, noise, total = recent_gain(values)
    if total <= 0:
        return 0.0, False
    share = gain / total
    return share, share > FAST_SHARE and gain > MIN_Z * noise
