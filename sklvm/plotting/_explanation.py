"""Which entries of a row make it an outlier."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_scalar

from sklvm._optional import import_optional


class ExplanationDisplay:
    """Bars of what the features of one row contribute, the largest on top, with their values.

    Parameters
    ----------
    contributions : array-like of shape (n_features,)
        Positive where the entry makes the row an outlier, as of ``DensityOutlierDetector.explain``.

    values : array-like of shape (n_features,) or None, default=None
        The entries of the row, for the labels.

    feature_names : list of str or None, default=None
        Names of the features; None: "x0", "x1", ….

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the bars were drawn.

    figure_ : matplotlib Figure
        Its figure.

    bars_ : matplotlib BarContainer
        The bars.

    Examples
    --------
    >>> from sklvm.plotting import ExplanationDisplay
    >>> display = ExplanationDisplay([0.1, 4.0, -0.3], [1.0, 9.0, 2.0], ["a", "b", "c"]).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['b = 9', 'c = 2', 'a = 1']
    """

    def __init__(self, contributions, values=None, feature_names=None):
        self.contributions = contributions
        self.values = values
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator, x, *, feature_names=None, ax=None, explain=None, **kwargs):
        """Explain a row by a fitted detector and draw the bars.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``explain``.

        x : array-like of shape (n_features,) or (1, n_features), or a data frame of one row
            The row.

        feature_names : list of str or None, default=None
            Names of the features; None: the estimator's ``feature_names_in_``, if it has them.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        explain : dict or None, default=None
            Arguments of the estimator's ``explain``.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : ExplanationDisplay
            The drawn display.
        """
        check_is_fitted(estimator)
        row = x if hasattr(x, "columns") else np.atleast_2d(np.asarray(x))
        if len(row) != 1:
            raise ValueError(f"x must be a single row, got {len(row)}")
        if feature_names is None:
            feature_names = getattr(estimator, "feature_names_in_", None)
        contributions = estimator.explain(row, **(explain or {}))[0]
        return cls(contributions, np.asarray(row)[0], feature_names).plot(ax, **kwargs)

    def plot(self, ax=None, *, n_features=10, **bar_kw):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        n_features : int, default=10
            How many features to show, those of the largest magnitude.

        **bar_kw
            Passed to ``barh``.

        Returns
        -------
        display : ExplanationDisplay
            Itself.
        """
        contributions = np.asarray(self.contributions, dtype=float)
        if contributions.ndim != 1 or not np.isfinite(contributions).all():
            raise ValueError("contributions must be one row of finite numbers")
        check_scalar(n_features, "n_features", int, min_val=1)
        names = self.feature_names
        if names is None:
            names = [f"x{j}" for j in range(len(contributions))]
        if len(names) != len(contributions):
            raise ValueError(
                f"feature_names has {len(names)} names for {len(contributions)} features"
            )
        shown = np.argsort(-np.abs(contributions), kind="stable")[:n_features]
        labels = [names[j] for j in shown]
        if self.values is not None:
            labels = [f"{names[j]} = {self.values[j]:.3g}" for j in shown]

        plt = import_optional("matplotlib.pyplot", "ExplanationDisplay.plot")
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        style = {"color": ["C3" if contributions[j] > 0 else "C0" for j in shown]} | bar_kw
        self.bars_ = ax.barh(range(len(shown)), contributions[shown], **style)
        ax.set_yticks(range(len(shown)), labels)
        ax.invert_yaxis()
        ax.axvline(0, color="0.3", linewidth=0.8)
        ax.set_xlabel("contribution to being an outlier (nats)")
        self.ax_, self.figure_ = ax, ax.figure
        return self
