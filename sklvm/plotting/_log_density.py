"""How several sets of rows score under one density."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_scalar

from sklvm._optional import import_optional


class LogDensityDisplay:
    """Histograms of the scores of several data sets over common bins.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n_samples,)
        Scores by the name of the set, for example log-densities in nats.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the histograms were drawn.

    figure_ : matplotlib Figure
        Its figure.

    bins_ : ndarray of shape (n_bins + 1,)
        The edges of the bins. The outer bins also hold what lies beyond them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.plotting import LogDensityDisplay
    >>> rng = np.random.default_rng(0)
    >>> scores = {"normal": rng.normal(size=500), "odd": rng.normal(-4, 2, size=500)}
    >>> display = LogDensityDisplay(scores).plot(bins=30)
    >>> len(display.bins_)
    31
    """

    def __init__(self, scores):
        self.scores = scores

    @classmethod
    def from_estimator(cls, estimator, sets, *, ax=None, **kwargs):
        """Score data sets by a fitted model and draw their histograms.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``score_samples``.

        sets : dict of str to array-like of shape (n_samples, n_features), or array-like
            Data sets by name; an array alone is one set, called "data".

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : LogDensityDisplay
            The drawn display.
        """
        check_is_fitted(estimator)
        if not hasattr(sets, "items"):
            sets = {"data": sets}
        scores = {name: estimator.score_samples(X) for name, X in sets.items()}
        display = cls(scores).plot(ax, **kwargs)
        if not getattr(estimator, "score_normalized_", True):
            display.ax_.set_xlabel("score (not normalised)")
        if not display.ax_.get_title():
            display.ax_.set_title(type(estimator).__name__)
        return display

    def plot(self, ax=None, *, bins=60, tail=0.005, **histogram_kw):
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        bins : int, default=60
            Number of bins.

        tail : float, default=0.005
            Fraction of each set, at either end, for which the axis makes no room, so that a few
            extreme rows do not squeeze all others into one bin.

        **histogram_kw
            Passed to ``hist``.

        Returns
        -------
        display : LogDensityDisplay
            Itself.
        """
        if not self.scores:
            raise ValueError("scores is empty: no set to draw")
        check_scalar(bins, "bins", int, min_val=1)
        check_scalar(tail, "tail", (float, int), min_val=0, max_val=0.5)
        scores = {name: np.asarray(values, dtype=float) for name, values in self.scores.items()}
        for name, values in scores.items():
            if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
                raise ValueError(f"scores[{name!r}] must be a non-empty row of finite numbers")

        low = min(np.quantile(values, tail) for values in scores.values())
        high = max(np.quantile(values, 1 - tail) for values in scores.values())
        if low == high:
            low, high = low - 0.5, high + 0.5
        self.bins_ = np.linspace(low, high, bins + 1)

        plt = import_optional("matplotlib.pyplot", "LogDensityDisplay.plot")
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        style = {"alpha": 0.5, "density": True} | histogram_kw
        for name, values in scores.items():
            ax.hist(np.clip(values, low, high), bins=self.bins_, label=name, **style)
        ax.set(xlabel="log-density (nats)", ylabel="share of the rows", yticks=[])
        ax.legend(loc="upper left")  # the best place is slow to find among many rows
        self.ax_, self.figure_ = ax, ax.figure
        return self
