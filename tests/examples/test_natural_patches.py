"""The study of natural patches: its report, its pictures, its errors and its arithmetic."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("skimage")
pytest.importorskip("mlxtend")
matplotlib = pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

SCRIPT = Path(__file__).parents[2] / "docs" / "studies" / "natural_patches.py"
PICTURES = ["filters.png", "log_density.png", "modes.png", "training.png"]
AREAS = ["auc_gaussian", "auc_digits", "auc_gaussian_ratio", "auc_digits_ratio"]


@pytest.fixture
def example(monkeypatch):
    """The example as a module, with so little to do that it takes seconds."""
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    spec = importlib.util.spec_from_file_location("natural_patches", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "QUICK", module.QUICK | {"epochs": 1, "temperatures": 10})
    yield module
    module.plt.close("all")
    matplotlib.use(backend)


def _run(example, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["natural_patches.py", *map(str, options)])
    example.main()


def test_the_report_has_what_it_promises(example, monkeypatch, tmp_path, capsys):
    _run(
        example, monkeypatch, "--quick", "--patch-size", 6, "--n-patches", 1000, "--hidden", 8,
        "--n-components", 8, "--sigma", 1, "learn", "--seed", 3,
        "--output", tmp_path / "new" / "folder",
    )  # fmt: skip
    folder = tmp_path / "new" / "folder"
    for picture in PICTURES:
        with Image.open(folder / picture) as image:
            assert min(image.size) >= 200
    report = json.loads((folder / "report.json").read_text())
    assert set(report) == {"results", "photographs", "settings", "versions", "seconds"}
    assert not set(report["photographs"]["training"]) & set(report["photographs"]["held_out"])
    assert report["settings"]["seed"] == 3
    assert [(r["whitened"], r["sigma"]) for r in report["results"]] == [
        (whitened, sigma) for whitened in (True, False) for sigma in (1, "learn")
    ]
    for record in report["results"]:
        assert record["objective"] == "denoising_score_matching"
        assert set(record["sets"]) == {"natural", "gaussian", "digits"}
        for moments in record["sets"].values():
            assert np.isfinite([moments["mean"], moments["std"]]).all()
        for name in [*AREAS, "baseline_auc_gaussian", "baseline_auc_digits"]:
            assert 0 <= record[name] <= 1
        assert set(record["by_photograph"]) == set(report["photographs"]["held_out"])
    table = (folder / "report.md").read_text()
    assert table.count("| whitened |") == table.count("| raw |") == 2
    assert table.strip() in capsys.readouterr().out


def test_own_photographs(example, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        noise = rng.integers(0, 256, size=(60, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"photograph {i}.png")
    Image.new("L", (5, 5)).save(tmp_path / "thumbnail.png")
    options = ["--images", tmp_path, "--patch-size", 6, "--n-patches", 1000, "--hidden", 4,
               "--n-components", 4, "--sigma", 1, "--contrast-normalize",
               "--objective", "score_matching", "--output", tmp_path / "out"]  # fmt: skip
    with pytest.warns(UserWarning, match=r"smaller than a patch.*thumbnail\.png"):
        _run(example, monkeypatch, "--quick", "--whiten", *options)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (record,) = report["results"]
    assert (record["whitened"], record["sigma"]) == (True, 1)
    named = report["photographs"]["training"] + report["photographs"]["held_out"]
    assert sorted(named) == [f"photograph {i}.png" for i in range(3)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sigma", "0"], r"--sigma: must be a positive number or 'learn', got '0'"),
        (["--sigma", "large"], r"--sigma: must be a positive number or 'learn', got 'large'"),
        (["--sigma", "nan"], r"--sigma: must be a positive number or 'learn', got 'nan'"),
        (["--patch-size", "2.5"], r"--patch-size: must be a whole number of at least 3, got '2.5'"),
        (["--patch-size", "2"], r"--patch-size: must be a whole number of at least 3, got '2'"),
        (["--patch-size", "500"], r"--images: needs at least 2 photographs.*500 pixels"),
        (["--n-patches", "10"], r"--n-patches: must be a whole number of at least 1000, got '10'"),
        (["--hidden", "-1"], r"--hidden: must be a whole number of at least 1, got '-1'"),
        (["--n-components", "0"], r"--n-components: must be a whole number of at least 1"),
        (["--objective", "magic"], r"--objective: invalid choice: 'magic'"),
        (["--seed", "-1"], r"--seed: must be a whole number of at least 0"),
        (["--images", "/no/such/folder"], r"--images: there is no folder"),
    ],
)
def test_bad_options_are_refused_before_any_work(example, monkeypatch, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        _run(example, monkeypatch, *options)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert re.search(message, line), line


def test_empty_folder_is_refused(example, monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit, match="2"):
        _run(example, monkeypatch, "--images", tmp_path)
    assert "has no image" in capsys.readouterr().err


def test_scores_of_whitened_models_are_densities_of_the_patch(example):
    """A standard normal of whitened patches is the Gaussian of the patches themselves."""

    class StandardNormal:
        def score_samples(self, points):
            return stats.norm.logpdf(points).sum(axis=1)

    mixing = np.random.default_rng(0).normal(size=(5, 5))
    patches = np.random.default_rng(1).normal(size=(400, 5)) @ mixing.T + 3
    gaussian = example.ConstrainedGaussian("full").fit(patches)
    expected = stats.multivariate_normal(patches.mean(axis=0), np.cov(patches.T, bias=True))
    for n_directions in (5, 2):
        whitener = example.ZCAWhitener("pca", n_components=n_directions).fit(patches)
        model = example.PatchModel(StandardNormal(), gaussian, whitener)
        np.testing.assert_allclose(model.score_samples(patches), expected.logpdf(patches))
        points = model.encode(patches)
        np.testing.assert_allclose(model.encode(model.decode(points)), points, atol=1e-12)


def test_matched_area_is_blind_to_the_norm(example):
    rng = np.random.default_rng(0)
    norms, other_norms = rng.uniform(1, 3, 2000), rng.uniform(2, 4, 2000)
    by_norm = example.matched_area(-norms, -other_norms, norms, other_norms)
    assert by_norm == pytest.approx(0.5, abs=0.05)
    assert example.area(-norms, -other_norms) > 0.8
    by_structure = example.matched_area(1 - norms, -other_norms, norms, other_norms)
    assert by_structure == 1


def test_area_is_the_probability_of_a_natural_patch_scoring_higher(example):
    natural, other = np.array([1.0, 4.0, 5.0]), np.array([0.0, 2.0, 4.0])
    wins = (natural[:, None] > other).mean() + 0.5 * (natural[:, None] == other).mean()
    assert example.area(natural, other) == pytest.approx(wins)
