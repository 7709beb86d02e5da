"""How a fit went, epoch by epoch."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklvm._optional import import_optional


class TrainingCurveDisplay:
    """Curves of a fit's history: one value an epoch.

    Curves in the unit of the criterion are drawn on the left axis. All others, such as the norm of
    the gradient, have the right one.

    Parameters
    ----------
    history : dict of str to array-like of shape (n_epochs,)
        Curves by name, as in ``history_`` of a fitted estimator.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curves of the criterion were drawn.

    right_ax_ : matplotlib Axes or None
        Where those of another unit were drawn; None where there are none, or nothing else.

    figure_ : matplotlib Figure
        Its figure.

    lines_ : dict of str to matplotlib Line2D
        The drawn curves by name.

    Examples
    --------
    >>> from sklvm.plotting import TrainingCurveDisplay
    >>> display = TrainingCurveDisplay({"objective": [3.0, 2.0, 1.5]}).plot()
    >>> list(display.lines_)
    ['objective']
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the history of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``history_``.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            The drawn display.
        """
        check_is_fitted(estimator, "history_")
        display = cls(estimator.history_).plot(ax, **kwargs)
        if not display.ax_.get_title():
            display.ax_.set_title(type(estimator).__name__)
        return display

    def plot(self, ax=None, *, curves=None, **line_kw):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        curves : sequence of str or None, default=None
            Which curves to draw; None draws all that have a finite value.

        **line_kw
            Passed to ``plot``.

        Returns
        -------
        display : TrainingCurveDisplay
            Itself.
        """
        if unknown := sorted(set(curves or ()) - set(self.history)):
            raise ValueError(f"curves {unknown} are not in the history: {list(self.history)}")
        values = {
            name: np.asarray(self.history[name], dtype=float) for name in curves or self.history
        }
        if curves is None:
            values = {name: curve for name, curve in values.items() if np.isfinite(curve).any()}
        if not values:
            raise ValueError("the history has no finite value to draw")

        plt = import_optional("matplotlib.pyplot", "TrainingCurveDisplay.plot")
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        left = [name for name in values if _is_in_units_of_the_criterion(name)]
        right = [name for name in values if name not in left]
        if not left:
            left, right = right, []
        self.ax_, self.right_ax_ = ax, ax.twinx() if right else None
        self.lines_ = {}
        for i, (name, curve) in enumerate(values.items()):
            epochs = np.arange(1, len(curve) + 1)
            style = {"label": name, "color": f"C{i % 10}"} | line_kw
            (self.lines_[name],) = (ax if name in left else self.right_ax_).plot(
                epochs, curve, **style
            )
        ax.set(xlabel="epoch", ylabel=_axis_label(left))
        if right:
            self.right_ax_.set_ylabel(_axis_label(right))
        if len(values) > 1:
            ax.legend(handles=list(self.lines_.values()), loc="best")
        self.figure_ = ax.figure
        return self


def _is_in_units_of_the_criterion(name):
    return any(word in name for word in ("objective", "bound", "likelihood", "energy"))


def _axis_label(names):
    return ", ".join(name.replace("_", " ") for name in names)
