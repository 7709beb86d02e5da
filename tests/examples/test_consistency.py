"""The example of consistency: what its text says is what its numbers say."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

plt = pytest.importorskip("matplotlib.pyplot")

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "criteria" / "consistency.py"
REAL, BINARY, TOO_SMALL = (
    "Data of the family",
    "Binary data of the family",
    "A model that is too small",
)


def run(monkeypatch, *options):
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, *options])
    results = runpy.run_path(str(SCRIPT))
    plt.close("all")
    return results


def test_the_smallest_form_of_the_example_runs(monkeypatch, capsys):
    sizes = ["100", "200"]
    results = run(monkeypatch, "--sizes", *sizes, "--replications", "1", "--chain-steps", "4")
    table = capsys.readouterr().out
    for title, errors in results["errors"].items():
        assert title in table
        for name, of_n in errors.items():
            assert name in table
            assert np.all(of_n >= 0) and of_n.shape == (2,)


@pytest.mark.slow
def test_the_results_are_those_that_the_text_explains(monkeypatch):
    results = run(monkeypatch)
    errors, slopes, ratios = results["errors"], results["slopes"], results["ratios"]
    plateaus = results["PLATEAUS"]

    # Of the family: all but denoising fall with slope −1, NCE towards maximum likelihood.
    of_noise = [f"NCE, ν = {ratio}" for ratio in (1, 10, 100)]
    for name in ["maximum likelihood", "score matching", "conditional NCE", *of_noise]:
        assert abs(slopes[REAL][name] + 1) < 0.2, name
    one, ten, hundred = (ratios[REAL][name] for name in of_noise)
    assert one > 1.8 > 1.3 > ten > hundred > 0.9
    assert hundred < 1.1

    level = plateaus[REAL, "denoising"]
    assert level == pytest.approx(0.040, abs=5e-4)
    assert level < errors[REAL]["denoising"][-1] < 1.3 * level

    # The parameters are found by all; by contrastive divergence too, whatever k is.
    for name, slope in slopes[BINARY].items():
        assert abs(slope + 1) < 0.35, name
        assert ratios[BINARY][name] < 2.3, name
    for name in ("pseudo-likelihood", "ratio matching", "NCE, ν = 10"):
        assert ratios[BINARY][name] < 1.2, name

    # It is not where the family is too small; more steps lower its plateau.
    for name in ("CD-1", "score matching"):
        assert slopes[TOO_SMALL][name] > -0.3
        assert 0.7 < errors[TOO_SMALL][name][-1] / plateaus[TOO_SMALL, name] < 1.5
    assert plateaus[TOO_SMALL, "CD-1"] == pytest.approx(0.004, abs=1e-3)
    assert plateaus[TOO_SMALL, "score matching"] == pytest.approx(0.012, abs=5e-4)
    assert ratios[TOO_SMALL]["CD-1"] > 2 * ratios[TOO_SMALL]["CD-3"] > 3
    assert ratios[TOO_SMALL]["PCD"] < 2
