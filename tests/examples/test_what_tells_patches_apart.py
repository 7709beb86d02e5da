"""The study of patches: it runs, and its norm-matched area sees nothing but structure."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

pytest.importorskip("skimage")
pytest.importorskip("mlxtend")
matplotlib = pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

SCRIPT = (
    Path(__file__).parents[2]
    / "docs"
    / "examples"
    / "energy_based_models"
    / "what_tells_patches_apart.py"
)


@pytest.fixture
def example():
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    spec = importlib.util.spec_from_file_location("what_tells_patches_apart", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    module.plt.close("all")
    matplotlib.use(backend)


def matched_area(example, natural, other, natural_norms, other_norms):
    return np.nanmean(example.matched_shares(natural, other, natural_norms, other_norms))


def test_matched_area_is_a_half_for_two_sets_of_one_distribution(example):
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2, 2000, 5))
    scores, norms = np.abs(points).sum(axis=2), np.linalg.norm(points, axis=2)
    assert matched_area(example, *scores, *norms) == pytest.approx(0.5, abs=0.03)


def test_matched_area_does_not_see_scale(example):
    """One set twice as large: scores of size tell all apart, but not at equal size."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2, 2000, 5))
    points[0] *= 2
    scores, norms = np.square(points).sum(axis=2), np.linalg.norm(points, axis=2)
    assert example.area(*scores) > 0.9
    assert matched_area(example, *scores, *norms) == pytest.approx(0.5, abs=0.03)


def test_matched_area_sees_structure_that_size_does_not_tell(example):
    rng = np.random.default_rng(0)
    points = np.stack([rng.laplace(size=(2000, 8)), rng.standard_normal((2000, 8))])
    norms = np.linalg.norm(points, axis=2)
    points *= np.exp(rng.standard_normal(2000))[:, np.newaxis] / norms[..., np.newaxis]
    norms, sparse = np.linalg.norm(points, axis=2), -np.abs(points).sum(axis=2)
    assert matched_area(example, *sparse, *norms) > 0.6
    assert example.area(*norms) == pytest.approx(0.5, abs=1e-5)


def test_shares_are_counted_over_pairs_of_like_norm(example):
    natural, other = np.array([3.0, 1.0, 5.0]), np.array([2.0, 3.0, 9.0])
    shares = example.matched_shares(
        natural, other, np.array([1.0, 10.0, 7.0]), np.array([1.005, 0.995, 10.05])
    )
    np.testing.assert_array_equal(shares, [0.75, 0.0, np.nan])  # a win and a tie; a loss; no pair


def test_the_study_runs_and_the_gaussian_is_its_own_baseline(
    example, monkeypatch, tmp_path, capsys
):
    small = {"patch_size": 8, "n_patches": 1000, "epochs": 1, "splits": 2, "scored": 200}
    monkeypatch.setattr(example, "QUICK", small)
    monkeypatch.setitem(example.BEST, "n_kept", 20)
    digits = Bunch(data=np.random.default_rng(0).uniform(size=(300, 64)).astype(np.float32))
    monkeypatch.setattr(example.datasets, "load_digit_images", lambda image_shape: digits)
    monkeypatch.setattr(example, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["what_tells_patches_apart.py", "--output", str(tmp_path)])
    example.main()
    printed = capsys.readouterr().out
    assert "sporco is not installed" in printed
    results = json.loads((tmp_path / "study.json").read_text())
    assert list(results) == ["Gaussian", "textbook", "best"]
    held_out = []
    for name, splits in results.items():
        assert len(splits) == 2
        assert name in printed
        for measures in splits:
            areas = [measures[key] for key in example.COLUMNS]
            assert np.logical_and(np.greater_equal(areas, 0), np.less_equal(areas, 1)).all()
    for measures in results["Gaussian"]:
        assert measures["ratio, gaussian"] == measures["ratio, digits"] == 0.5
        held_out += measures["photographs"]
    assert len(held_out) == len(set(held_out)) <= 11
    with Image.open(tmp_path / "filters_and_scores.png") as image:
        assert min(image.size) >= 200


@pytest.mark.parametrize("normalize", ["", "before", "after"])
@pytest.mark.parametrize("regularization", [0.0, 0.1])
def test_distances_are_those_of_the_gaussian_of_the_kept_coordinates(
    example, monkeypatch, normalize, regularization
):
    rng = np.random.default_rng(0)
    images = {str(i): rng.uniform(size=(40, 40)).cumsum(axis=0) / 40 for i in range(3)}
    digits = Bunch(data=rng.uniform(size=(100, 36)).astype(np.float32))
    monkeypatch.setattr(example.datasets, "load_digit_images", lambda image_shape: digits)
    settings = {"patch_size": 6, "n_patches": 500, "scored": 100}
    patches = example.cut_patches(images, ["1"], settings, "full", "before" in normalize)
    recipe = example.BEST | {
        "n_kept": 30, "regularization": regularization, "normalize": normalize,
    }  # fmt: skip
    encoded = example.encode(patches, recipe)
    covariance = np.cov(encoded.training.T, bias=True)
    centred = encoded.sets["natural"] - encoded.training.mean(axis=0)
    expected = np.einsum("ij,ij->i", centred @ np.linalg.inv(covariance), centred)
    np.testing.assert_allclose(encoded.squares["natural"], expected, rtol=2e-3)
