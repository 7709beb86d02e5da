"""Messages that name the last step: what a new user writes first, and what is then said."""

import inspect

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import sklvm
from sklvm import BernoulliRBM, DeepEnergyModel, GaussianRBM, SigmoidAutoencoder, VAETransformer
from sklvm.hints import did_you_mean
from sklvm.objectives import NoiseContrastiveEstimation
from sklvm.optimizers import SGD, Adam


@pytest.fixture
def X(rng):
    return rng.standard_normal((40, 3))


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (
            lambda: DeepEnergyModel(learning_rate=0.1),
            r"'learning_rate'\. Use optimizer=Adam\(0.1\)",
        ),
        (lambda: BernoulliRBM(n_iter=20), r"'n_iter'\. Use max_iter=20\."),
        (lambda: BernoulliRBM(n_epochs=20), r"Use max_iter=20\."),
        (lambda: SigmoidAutoencoder(criterion="denoising"), r"Use objective='denoising'\."),
        (lambda: VAETransformer(latent_dim=3), r"Use n_components=3\."),
        (lambda: GaussianRBM(n_component=3), r"Did you mean 'n_components'\?"),
        (lambda: Adam(lr=0.1), "'lr'"),
        (lambda: NoiseContrastiveEstimation(noiseratio=2), r"Did you mean 'noise_ratio'\?"),
        (lambda: GaussianRBM(foo=3), r"unexpected keyword argument 'foo'\.$"),
    ],
)
def test_an_unknown_parameter_is_told_its_name_here(make, advice):
    with pytest.raises(TypeError, match=advice):
        make()


def test_constructors_keep_their_signatures():
    for name in sklvm.__all__:
        parameters = inspect.signature(getattr(sklvm, name)).parameters
        assert "kwargs" not in parameters
        assert (
            list(parameters)
            == list(inspect.signature(getattr(sklvm, name).__init__).parameters)[1:]
        )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            # Sorted, the nearest named, and only what fits: none that needs bits.
            DeepEnergyModel(objective="scorematching"),
            r"'objective' parameter of DeepEnergyModel must be one of \['cd', 'cnce', "
            r"'denoising_score_matching', 'nce', 'pcd', 'score_matching', 'sliced_score_matching', "
            r"'vnce'\].*Got 'scorematching' instead. Did you mean 'score_matching'\?",
        ),
        (
            DeepEnergyModel(objective=NoiseContrastiveEstimation),
            r"pass an object of it, NoiseContrastiveEstimation\(\)",
        ),
        (DeepEnergyModel(optimizer=SGD), r"That is a class: pass an object of it, SGD\(\)\."),
        (DeepEnergyModel(optimizer="Adam"), r"Did you mean 'adam'\?"),
        (DeepEnergyModel(activation="relu"), "'softplus' is the smooth form of it"),
        (VAETransformer(activation="sigmoids"), r"\['.*'\]. Got 'sigmoids'.*mean 'sigmoid'\?"),
    ],
    ids=lambda value: "" if isinstance(value, str) else repr(value),
)
def test_a_wrong_value_is_told_the_right_one(model, message, X):
    with pytest.raises(ValueError, match=message) as error:
        model.fit(X)
    assert "._" not in str(error.value)  # no private module


def test_a_class_for_an_object_that_a_setting_takes():
    with pytest.raises(ValueError, match=r"'schedule'.*Did you mean 'cosine'\?"):
        Adam(schedule="cosin").validate()


@pytest.mark.parametrize("size", [5, np.int64(5)])
@pytest.mark.parametrize("Model", [DeepEnergyModel, VAETransformer])
def test_an_integer_is_one_hidden_layer(Model, size, X):
    options = {"n_components": 2, "max_iter": 1, "random_state": 0}
    short, long = (Model(hidden_layer_sizes=s, **options).fit(X) for s in (size, (5,)))
    np.testing.assert_array_equal(short.transform(X), long.transform(X))


def test_growth_takes_an_integer_too(X):
    model = DeepEnergyModel(2, hidden_layer_sizes=4, growth="layerwise", max_iter=2, random_state=0)
    assert model.fit(X).coefs_[0].shape == (4, 3)


def test_early_stopping_with_chains_names_the_way_out():
    bits = np.random.default_rng(0).integers(0, 2, (40, 4)).astype(float)
    with pytest.raises(ValueError, match="free_energy_gap=True"):
        BernoulliRBM(early_stopping=True).fit(bits)
    with pytest.raises(ValueError, match="objective that has one, such as 'nce'"):
        DeepEnergyModel(objective="cd", early_stopping=True).fit(bits)


def test_rows_beyond_the_unit_interval_are_told_of_the_scaler():
    X = load_digits().data[:100]
    model = make_pipeline(MinMaxScaler(), BernoulliRBM(3, max_iter=1, random_state=0)).fit(X[:50])
    with pytest.raises(ValueError, match=r"MinMaxScaler\(clip=True\)"):
        model.transform(X[50:] * 1.5)
    clipped = model.set_params(minmaxscaler__clip=True).fit(X[:50])
    assert np.all(np.isfinite(clipped.transform(X[50:] * 1.5)))


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("Score-Matching", ["score_matching", "cd"], " Did you mean 'score_matching'?"),
        ("x", ["cd"], ""),
    ],
)
def test_the_nearest_word(word, known, answer):
    assert did_you_mean(word, known) == answer


@pytest.mark.parametrize("Model", [BernoulliRBM, GaussianRBM])
def test_a_machine_says_whether_it_learns(Model, capsys):
    X = load_digits().data[:300] / 16
    X = X if Model is BernoulliRBM else StandardScaler().fit_transform(X)
    model = Model(16, max_iter=8, verbose=1, partition="none", random_state=0).fit(X)
    assert "reconstruction_error" in capsys.readouterr().out
    errors = model.history_["reconstruction_error"]
    assert errors[-1] < errors[0]
    rows = X[np.linspace(0, 299, 200).astype(int)]
    if Model is GaussianRBM:
        assert errors[-1] == pytest.approx(np.mean((rows - model.reconstruct(rows)) ** 2), rel=1e-4)


def test_means_in_place_of_bits(rng):
    bits = (rng.random((100, 5)) < [0.9, 0.1, 0.5, 0.3, 0.7]).astype(float)
    for model in (
        BernoulliRBM(3, max_iter=2, random_state=0),
        VAETransformer(2, likelihood="bernoulli", max_iter=2, random_state=0),
    ):
        model.fit(bits)
        draws = model.sample(4000, random_state=1)
        means = model.sample(4000, mean=True, random_state=1)
        assert set(np.unique(draws)) == {0, 1}
        assert np.all((means > 0) & (means < 1))
        # E[E[x | z]] = E[x]; the draws' own standard error is at most 0.5/√4000.
        np.testing.assert_allclose(means.mean(axis=0), draws.mean(axis=0), atol=5 * 0.5 / 4000**0.5)
    machine = BernoulliRBM(3, max_iter=2, random_state=0).fit(bits)
    given = [1, np.nan, 0, np.nan, np.nan]
    means = machine.sample(7, given=given, mean=True, random_state=0)
    np.testing.assert_array_equal(means[:, [0, 2]], np.tile([1.0, 0.0], (7, 1)))
    with pytest.raises(ValueError, match="mean=True needs a last sweep"):
        machine.sample(mean=True, init=bits[0], n_steps=0)


def test_reconstruct_is_there_wherever_inverse_transform_is():
    for name in sklvm.__all__:
        Model = getattr(sklvm, name)
        if "inverse_transform" in dir(Model):
            assert "reconstruct" in dir(Model), name
    assert not hasattr(DeepEnergyModel(), "reconstruct")
    X = np.random.default_rng(0).standard_normal((30, 3))
    whitener = sklvm.ZCAWhitener().fit(X)
    np.testing.assert_allclose(whitener.reconstruct(X), X)


def test_whitened_features_have_the_names_of_their_features(X):
    whitener = sklvm.ZCAWhitener().fit(X)
    assert list(whitener.get_feature_names_out()) == ["x0", "x1", "x2"]
    assert list(whitener.get_feature_names_out(["a", "b", "c"])) == ["a", "b", "c"]
    whitener = sklvm.ZCAWhitener("pca", n_components=2).fit(X)
    assert list(whitener.get_feature_names_out()) == ["zcawhitener0", "zcawhitener1"]
