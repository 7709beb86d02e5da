"""Topics by their most probable words."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_scalar

from sklvm._optional import import_optional


class TopicDisplay:
    """Bars of the most probable words of each topic.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        p(word | topic).

    feature_names : array-like of shape (n_features,)
        The vocabulary.

    titles : list of str or None, default=None
        Of the topics; None numbers them.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each topic that was drawn.

    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from sklvm.plotting import TopicDisplay
    >>> topics = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]
    >>> display = TopicDisplay(topics, ["cat", "dog", "moon"]).plot(n_words=2)
    >>> [label.get_text() for label in display.axes_[1].get_yticklabels()]
    ['moon', 'dog']
    """

    def __init__(self, components, feature_names, titles=None):
        self.components = components
        self.feature_names = feature_names
        self.titles = titles

    @classmethod
    def from_estimator(cls, estimator, feature_names=None, *, topics=None, **kwargs):
        """Draw the topics of a fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``components_``.

        feature_names : array-like of shape (n_features,), default=None
            The vocabulary; None: ``feature_names_in_``, or else column numbers.

        topics : array-like of int, default=None
            Which topics, in this order; None: those with the greatest prior first, where the model
            has learned one for each, and else all in their order.

        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : TopicDisplay
            The drawn display.
        """
        check_is_fitted(estimator)
        components = np.asarray(estimator.components_)
        if feature_names is None:
            feature_names = getattr(estimator, "feature_names_in_", np.arange(components.shape[1]))
        if topics is None:
            prior = getattr(estimator, "doc_topic_prior_", np.zeros(len(components)))
            topics = np.argsort(-prior, kind="stable")
        titles = [f"topic {k}" for k in topics]
        return cls(components[topics], feature_names, titles).plot(**kwargs)

    def plot(self, *, n_words=8, n_columns=5, figure=None, **bar_kw):
        """Draw the bars.

        Parameters
        ----------
        n_words : int, default=8
            Words of a topic.

        n_columns : int, default=5
            Topics side by side.

        figure : matplotlib Figure or None, default=None
            An empty figure or subfigure to draw into; None makes a new one.

        **bar_kw
            Passed to ``barh``.

        Returns
        -------
        display : TopicDisplay
            Itself.
        """
        check_scalar(n_words, "n_words", int, min_val=1)
        check_scalar(n_columns, "n_columns", int, min_val=1)
        components = np.asarray(self.components, dtype=float)
        names = np.asarray(self.feature_names)
        if components.ndim != 2 or names.shape != components.shape[1:]:
            raise ValueError(
                "components must be of shape (n_components, n_features) and feature_names of shape "
                f"(n_features,), got {components.shape} and {names.shape}."
            )
        titles = self.titles or [f"topic {k}" for k in range(len(components))]
        n_columns = min(n_columns, len(components))
        n_rows = -(-len(components) // n_columns)
        plt = import_optional("matplotlib.pyplot", "TopicDisplay.plot")
        if figure is None:
            size = (2.3 * n_columns, n_rows * (0.6 + 0.2 * n_words))
            figure = plt.figure(figsize=size, layout="constrained")
        grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).ravel()
        for ax in grid[len(components) :]:
            ax.remove()
        order = np.argsort(-components, axis=1, kind="stable")[:, :n_words]
        style = {"color": "tab:blue", "height": 0.7} | bar_kw
        for ax, probabilities, words, title in zip(grid, components, order, titles, strict=False):
            ax.barh(np.arange(len(words)), probabilities[words], **style)
            ax.set_yticks(np.arange(len(words)), [str(name) for name in names[words]])
            ax.set_title(title, fontsize="medium")
            ax.invert_yaxis()
            ax.spines[["top", "right"]].set_visible(False)
        figure.supxlabel("p(word | topic)", fontsize="medium")
        self.axes_, self.figure_ = grid[: len(components)], figure
        return self
