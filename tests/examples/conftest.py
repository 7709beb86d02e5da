"""Pages of the gallery, run as scripts."""

import runpy
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def run_page(monkeypatch):
    """Runs a page by its name, shows no pictures, and returns what the page has in its names."""
    plt = pytest.importorskip("matplotlib.pyplot")

    def run(name):
        monkeypatch.setattr(plt, "show", lambda: None)
        results = runpy.run_path(str(next(PAGES.glob(f"*/{name}.py"))))
        plt.close("all")
        return results

    return run
