"""Displays draw the numbers that they are given, where they are told to."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer

from sklvm import ConvolutionalSparseCoder, VAETransformer, ZCAWhitener
from sklvm.plotting import (
    ExplanationDisplay,
    FilterDisplay,
    LatentTraversalDisplay,
    LogDensityDisplay,
    TopicDisplay,
    TrainingCurveDisplay,
)

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def plt():
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")
    matplotlib.use(backend)


class DeepModel(BaseEstimator):
    """Two layers over six pixels."""

    def fit(self, X=None, y=None):
        rng = np.random.default_rng(0)
        self.coefs_ = [rng.normal(size=(4, 6)), rng.normal(size=(3, 4))]
        self.history_ = {"objective": np.array([2.0, 1.0]), "swaps": np.full(2, np.nan)}
        return self

    def score_samples(self, X):
        return np.sum(X, axis=1)


def _tile(display, row, column, shape):
    height, width = shape
    top, left = row * (height + 1) + 1, column * (width + 1) + 1
    return display.image_.get_array()[top : top + height, left : left + width]


def test_each_filter_is_divided_by_its_own_magnitude():
    filters = np.random.default_rng(0).normal(size=(5, 6)) * [[1], [10], [0.1], [3], [0]]
    display = FilterDisplay(filters, (2, 3)).plot(n_columns=2)
    for i, weights in enumerate(filters):
        expected = weights.reshape(2, 3) / (np.abs(weights).max() or 1)
        np.testing.assert_allclose(_tile(display, i // 2, i % 2, (2, 3)), expected)
    assert display.image_.get_clim() == (-1, 1)


def test_common_scaling_keeps_proportions_and_none_keeps_values():
    filters = np.array([[1.0, -2.0, 0.5, 0.0], [0.25, 0.0, 0.0, 1.0]])
    common = FilterDisplay(filters).plot(scaling="common")
    np.testing.assert_allclose(_tile(common, 0, 1, (2, 2)), filters[1].reshape(2, 2) / 2)
    values = FilterDisplay(filters).plot(scaling="none", vmin=0, vmax=1)
    np.testing.assert_allclose(_tile(values, 0, 0, (2, 2)), filters[0].reshape(2, 2))
    assert values.image_.get_clim() == (0, 1)


def test_lines_between_filters_are_masked():
    sheet = FilterDisplay(np.ones((4, 4))).plot().image_.get_array()
    assert sheet.shape == (7, 7)
    assert np.ma.getmaskarray(sheet)[[0, 3, 6]].all()
    assert np.ma.getmaskarray(sheet)[:, [0, 3, 6]].all()
    assert sheet.count() == 16


def test_filters_of_a_shallow_and_of_a_deep_model():
    pca = PCA(2).fit(np.random.default_rng(0).normal(size=(20, 6)))
    np.testing.assert_array_equal(
        FilterDisplay.from_estimator(pca, (2, 3)).filters, pca.components_
    )
    deep = DeepModel().fit()
    np.testing.assert_array_equal(
        FilterDisplay.from_estimator(deep, (2, 3)).filters, deep.coefs_[0]
    )
    np.testing.assert_allclose(
        FilterDisplay.from_estimator(deep, (2, 3), layer=1).filters,
        deep.coefs_[1] @ deep.coefs_[0],
    )


def test_displays_draw_on_the_axes_they_are_given(plt):
    figure, axes = plt.subplots(1, 3)
    deep = DeepModel().fit()
    displays = (
        FilterDisplay.from_estimator(deep, (2, 3), ax=axes[0]),
        TrainingCurveDisplay.from_estimator(deep, ax=axes[1]),
        LogDensityDisplay.from_estimator(deep, {"ones": np.ones((3, 6))}, ax=axes[2]),
    )
    for display, ax in zip(displays, axes, strict=True):
        assert display.ax_ is ax
        assert display.figure_ is figure
    figure.canvas.draw()


def test_curves_are_the_history_and_empty_ones_are_left_out():
    display = TrainingCurveDisplay.from_estimator(DeepModel().fit())
    assert list(display.lines_) == ["objective"]
    np.testing.assert_array_equal(display.lines_["objective"].get_xdata(), [1, 2])
    np.testing.assert_array_equal(display.lines_["objective"].get_ydata(), [2.0, 1.0])


def test_curves_of_other_units_have_an_axis_of_their_own():
    history = {
        "objective": [3.0, 2.0],
        "gradient_norm": [90.0, 40.0],
        "validation_objective": [4, 3],
    }
    display = TrainingCurveDisplay(history).plot()
    assert display.lines_["gradient_norm"].axes is display.right_ax_
    for name in ("objective", "validation_objective"):
        assert display.lines_[name].axes is display.ax_
    assert display.ax_.get_ylabel() == "objective, validation objective"
    assert display.right_ax_.get_ylabel() == "gradient norm"
    assert len(display.ax_.get_legend().get_texts()) == 3
    assert TrainingCurveDisplay({"gradient_norm": [1.0]}).plot().right_ax_ is None


def test_an_array_alone_is_one_set_of_scores(plt):
    ones = np.ones((3, 6))
    display = LogDensityDisplay.from_estimator(DeepModel().fit(), ones)
    assert list(display.scores) == ["data"]
    assert display.ax_.get_title() == "DeepModel"
    _, ax = plt.subplots()
    ax.set_title("mine")
    LogDensityDisplay.from_estimator(DeepModel().fit(), ones, ax=ax)
    assert ax.get_title() == "mine"


def test_histograms_share_bins_and_lose_no_row():
    scores = {"a": np.arange(100.0), "b": np.append(np.arange(50.0, 149.0), -1e9)}
    display = LogDensityDisplay(scores).plot(bins=10, tail=0.02, density=False)
    assert display.bins_[0] > -1e6
    counts = [sum(bar.get_height() for bar in group) for group in display.ax_.containers]
    assert counts == [100, 100]


def test_equal_scores_still_have_a_bin():
    display = LogDensityDisplay({"a": np.zeros(5)}).plot()
    assert display.bins_[0] < 0 < display.bins_[-1]


def test_filters_of_images_have_their_own_shape_and_channels():
    colours = np.random.default_rng(0).standard_normal((4, 3, 2, 3))
    X = np.zeros((1, 5 * 6 * 3))
    coder = ConvolutionalSparseCoder(colours, image_shape=(5, 6), n_channels=3).fit(X)
    sheet = FilterDisplay.from_estimator(coder).image_.get_array()
    assert sheet.shape == (9, 7, 3)  # two by two filters of (3, 2), lines around them
    largest = np.abs(colours[0]).max()
    np.testing.assert_allclose(sheet[1:4, 1:3], 0.5 + 0.5 * colours[0] / largest)
    plain = FilterDisplay(colours[..., :2].reshape(4, -1), (3, 2), n_channels=2).plot()
    assert plain.image_.get_array().shape == (9, 13)
    signals = ConvolutionalSparseCoder(np.ones((2, 7))).fit(np.zeros((1, 20)))
    assert FilterDisplay.from_estimator(signals, n_columns=1).image_.get_array().shape == (5, 9)
    with pytest.raises(ValueError, match="n_channels=4 does not divide"):
        FilterDisplay(np.ones((2, 9)), n_channels=4).plot()


@pytest.mark.parametrize(
    ("filters", "image_shape", "options", "message"),
    [
        (np.ones((2, 6)), None, {}, "image_shape must be given: 6 pixels"),
        (np.ones((2, 6)), (2, 2), {}, "image_shape must be two sides with product 6"),
        (np.ones((2, 6)), (6,), {}, "image_shape must be two sides"),
        (np.ones((2, 4)), None, {"scaling": "both"}, "scaling must be"),
        (np.ones((2, 4)), None, {"n_columns": 0}, "n_columns"),
        (np.full((2, 4), np.nan), None, {}, "filters contains NaN"),
    ],
)
def test_bad_filters_are_named(filters, image_shape, options, message):
    with pytest.raises(ValueError, match=message):
        FilterDisplay(filters, image_shape).plot(**options)


def test_models_without_weights_or_that_layer_are_errors():
    with pytest.raises(ValueError, match="layer"):
        FilterDisplay.from_estimator(DeepModel().fit(), (2, 3), layer=2)
    weightless = DeepModel().fit()
    del weightless.coefs_
    with pytest.raises(TypeError, match="neither components_ nor coefs_"):
        FilterDisplay.from_estimator(weightless)


@pytest.mark.parametrize("scores", [{}, {"a": []}, {"a": [np.inf]}, {"a": [[1.0]]}])
def test_bad_scores_are_errors(scores):
    with pytest.raises(ValueError, match="scores"):
        LogDensityDisplay(scores).plot()


def test_unknown_or_empty_curves_are_errors():
    with pytest.raises(ValueError, match=r"curves \['b'\]"):
        TrainingCurveDisplay({"a": [1.0]}).plot(curves=["b"])
    with pytest.raises(ValueError, match="no finite value"):
        TrainingCurveDisplay({"a": [np.nan]}).plot()


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    def refuse(name, *args, **kwargs):
        raise ImportError(name)

    display = FilterDisplay(np.ones((1, 4)))  # taking data needs no matplotlib
    monkeypatch.setattr("sklvm._optional.import_module", refuse)
    with pytest.raises(ImportError, match=r'pip install "sklvm\[examples\]"'):
        display.plot()


def test_a_latent_traversal_has_a_row_for_each_variable():
    X = np.random.default_rng(0).random((30, 6))
    vae = VAETransformer(
        3, hidden_layer_sizes=(4,), max_iter=1, random_state=0, optimizer="adam"
    ).fit(X)
    display = LatentTraversalDisplay.from_estimator(
        vae, X[0], (2, 3), components=[2, 1], values=[-1, 0, 1, 2], vmin=0, vmax=1
    )
    traversal = vae.latent_traversal(X[0], components=[2, 1], values=[-1, 0, 1, 2])
    for row in range(2):
        for column in range(4):
            image = _tile(display, row, column, (2, 3))
            np.testing.assert_allclose(image, traversal[row, column].reshape(2, 3))
    assert display.image_.get_clim() == (0, 1)


def test_a_latent_traversal_of_two_axes_is_refused():
    with pytest.raises(ValueError, match="traversal must have shape"):
        LatentTraversalDisplay(np.ones((2, 4))).plot()


def test_topics_show_their_most_probable_words_first():
    topics = np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]])
    display = TopicDisplay(topics, ["a", "b", "c"], ["x", "y", "z"]).plot(n_words=2, n_columns=2)
    shown = [[label.get_text() for label in ax.get_yticklabels()] for ax in display.axes_]
    assert shown == [["b", "c"], ["a", "c"], ["c", "a"]]
    widths = [[bar.get_width() for bar in ax.patches] for ax in display.axes_]
    np.testing.assert_allclose(widths, [[0.6, 0.3], [0.5, 0.3], [0.6, 0.2]])
    assert [ax.get_title() for ax in display.axes_] == ["x", "y", "z"]
    with pytest.raises(ValueError, match=r"got \(3, 3\) and \(2,\)"):
        TopicDisplay(topics, ["a", "b"]).plot()


def test_filters_and_atoms_of_a_pipeline_are_shown_in_pixels():
    X = np.random.default_rng(0).normal(size=(60, 6)) * np.arange(1, 7)
    pipeline = make_pipeline(ZCAWhitener("pca", n_components=4), PCA(2)).fit(X)
    whitener, pca = pipeline
    shown = FilterDisplay.from_estimator(pipeline, (2, 3)).filters
    np.testing.assert_allclose(shown, pca.components_ @ whitener.components_, atol=1e-12)
    shown = FilterDisplay.from_estimator(pipeline, (2, 3), kind="atoms").filters
    np.testing.assert_allclose(shown, pca.components_ @ whitener.mixing_.T, atol=1e-12)
    alone = FilterDisplay.from_estimator(make_pipeline(PCA(2)).fit(X), (2, 3)).filters
    assert alone.shape == (2, 6)


def test_filters_behind_a_step_that_is_not_linear_are_refused():
    X = np.random.default_rng(0).normal(size=(60, 4))
    pipeline = make_pipeline(PowerTransformer(), PCA(2)).fit(X)
    with pytest.raises(ValueError, match="not linear"):
        FilterDisplay.from_estimator(pipeline)
    with pytest.raises(ValueError, match="kind must be"):
        FilterDisplay.from_estimator(pipeline, kind="both")


def test_a_single_set_of_rows_needs_no_name():
    X = np.random.default_rng(0).normal(size=(30, 6))
    display = LogDensityDisplay.from_estimator(DeepModel().fit(), X)
    np.testing.assert_array_equal(display.scores["data"], X.sum(axis=1))


class Explains(BaseEstimator):
    def fit(self, X=None, y=None):
        self.feature_names_in_ = np.array(["a", "b", "c"], dtype=object)
        return self

    def explain(self, X, sign=1):
        return sign * np.asarray(X) ** 2


def test_an_explanation_shows_the_largest_contributions_by_name_and_value():
    display = ExplanationDisplay.from_estimator(Explains().fit(), [1.0, -3.0, 2.0], n_features=2)
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["b = -3", "c = 2"]
    np.testing.assert_allclose([bar.get_width() for bar in display.bars_], [9, 4])
    turned = ExplanationDisplay.from_estimator(
        Explains().fit(), [[1.0, -3.0, 2.0]], explain={"sign": -1}, feature_names=["u", "v", "w"]
    )
    assert turned.ax_.get_yticklabels()[0].get_text() == "v = -3"
    assert turned.bars_[0].get_width() == -9
    unnamed = ExplanationDisplay([0.0, 1.0]).plot()
    assert [t.get_text() for t in unnamed.ax_.get_yticklabels()] == ["x1", "x0"]


def test_explanations_of_no_single_row_are_refused():
    with pytest.raises(ValueError, match="single row, got 2"):
        ExplanationDisplay.from_estimator(Explains().fit(), np.ones((2, 3)))
    with pytest.raises(ValueError, match="finite"):
        ExplanationDisplay([np.nan]).plot()
    with pytest.raises(ValueError, match="2 names for 1 features"):
        ExplanationDisplay([1.0], feature_names=["a", "b"]).plot()
