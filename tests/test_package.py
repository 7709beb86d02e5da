"""What a user sees of the package itself."""

import subprocess
import sys
from pathlib import Path

import pytest

import sklvm


def test_submodules_are_there_without_an_import_of_their_own():
    """In a fresh process, where nothing else has imported them."""
    names = [name for name in dir(sklvm) if name.islower() and not name.startswith("_")]
    code = "import sklvm; " + "; ".join(f"sklvm.{name}.__all__" for name in names)
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_does_not_import_what_is_optional():
    code = "import sys, sklvm; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_completion_shows_estimators_and_what_users_import():
    assert set(sklvm.__all__) < set(dir(sklvm))
    folders = {path.name for path in Path(sklvm.__file__).parent.iterdir()}
    for name in set(dir(sklvm)) - set(sklvm.__all__) - {"__version__"}:
        assert name in folders or f"{name}.py" in folders


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'BernouliRBM'"):
        _ = sklvm.BernouliRBM
