"""The tabular example: what its text says is what its numbers say."""

import runpy
from pathlib import Path

import pytest

plt = pytest.importorskip("matplotlib.pyplot")

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "anomalies" / "tabular_anomalies.py"


@pytest.mark.slow
def test_the_results_are_those_that_the_text_explains(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    results = runpy.run_path(str(SCRIPT))["results"]
    plt.close("all")
    means = {
        problem: {name: values.mean(axis=0) for name, values in detectors.items()}
        for problem, detectors in results.items()
    }
    areas = {p: {name: mean[0] for name, mean in of.items()} for p, of in means.items()}
    tumours = areas["benign tumours"]
    assert max(tumours.values()) - min(tumours.values()) < 0.03
    iris = areas["two species of iris"]
    assert max(iris, key=iris.get) == "isolation forest"
    assert iris["deep energy model"] > iris["Gaussian"] > iris["local outlier factor"]
    assert max(areas["the digit 8"].values()) - areas["the digit 8"]["Gaussian"] < 0.01
    digits = areas["even digits"]
    best, second, *_ = sorted(digits, key=digits.get, reverse=True)
    assert (best, second) == ("mixture of 4 Gaussians", "deep energy model")
    for problem in list(areas)[:3]:
        assert areas[problem]["deep energy model"] > max(areas[problem].values()) - 0.03
