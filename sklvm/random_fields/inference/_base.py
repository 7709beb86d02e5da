"""What an inference is."""

from sklearn.exceptions import ConvergenceWarning

from sklvm._warnings import warn
from sklvm.settings import Settings

__all__ = ["Inference"]


class Inference(Settings):
    """Base of the ways to infer labels of a :class:`PairwiseModel`.

    A subclass has ``labels(model, random_state=None)``, labels of low energy of shape (n_sites,),
    or ``marginals(model, random_state=None)``, a :class:`Marginals`, or both. What it lacks it
    refuses with a ``ValueError`` that says who has it.
    """

    has_marginals = True
    has_log_partition = True

    def labels(self, model, random_state=None):
        """Labels of low energy, of shape (n_sites,)."""
        raise NotImplementedError

    def marginals(self, model, random_state=None):
        """The :class:`Marginals` of the model."""
        raise ValueError(
            f"{type(self).__name__} finds labels, and no probabilities. Exact, BeliefPropagation, "
            "MeanField and GibbsSampling have them."
        )

    def _warn_unconverged(self, max_iter):
        warn(
            f"{type(self).__name__} did not converge in max_iter={max_iter} sweeps. Raise max_iter "
            "or tol, or (belief propagation) damping.",
            ConvergenceWarning,
        )
