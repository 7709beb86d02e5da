"""Pages of the gallery on restricted Boltzmann machines: their text says what their numbers say."""

import runpy
from pathlib import Path

import numpy as np
import pytest

plt = pytest.importorskip("matplotlib.pyplot")

PAGES = Path(__file__).parents[2] / "docs" / "examples"


def run(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    results = runpy.run_path(str(PAGES / f"{name}.py"))
    plt.close("all")
    return results


@pytest.mark.slow
def test_filters_of_patches_are_local_and_oriented(monkeypatch):
    results = run("filters_of_patches", monkeypatch)
    for measure, of_patches, of_filters in (
        (results["share_in_a_quarter"], 0.44, 0.85),
        (results["orientation"], 0.29, 0.83),
    ):
        assert np.median(measure(results["white"][:64])) == pytest.approx(of_patches, abs=0.01)
        filters = results["model"].components_
        assert np.median(measure(filters)) == pytest.approx(of_filters, abs=0.05)
