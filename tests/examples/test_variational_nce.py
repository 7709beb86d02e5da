"""The variational example: what its text says is what its numbers say."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

plt = pytest.importorskip("matplotlib.pyplot")

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "criteria" / "variational_nce.py"


@pytest.mark.slow
def test_the_results_are_those_that_the_text_explains(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.setattr(sys, "argv", ["", "--sizes", "250", "4000", "--replications", "4"])
    page = runpy.run_path(str(SCRIPT))
    plt.close("all")
    errors, widths = page["errors"], np.exp(np.median(page["found"]["VNCE, no hidden units"], 1))
    np.testing.assert_allclose(errors["VNCE, exact posterior"], errors["NCE"], rtol=0.01)
    for name in ("maximum likelihood", "NCE", "VNCE, 10 hidden units"):
        assert errors[name][1] < errors[name][0]
        assert errors[name][1] < 0.1
    # An encoder that is too simple makes the model a single Gaussian, of the variance (1 + 16)/2.
    assert np.all(errors["VNCE, no hidden units"] > 0.9)
    np.testing.assert_allclose(widths[-1], np.sqrt(8.5), rtol=0.1)
    few, simple = (page["biases"][f"{name} hidden units"] for name in ("10", "no"))
    assert np.all(few < 1e-5)
    assert 5 < simple[0] / simple[-1] < 32
