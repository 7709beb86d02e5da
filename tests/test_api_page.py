"""The API reference lists what there is: neither less nor more than the modules export."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "api"
PAGE = "\n".join(page.read_text() for page in sorted(FOLDER.glob("[!i]*.rst")))
EVERYWHERE = set(re.findall(r"^   (?:\w+\.)*(\w+)$", PAGE, re.M))


def listed():
    """Module, and whether its page is its own → the names that are listed for it."""
    parts = re.split(r"^\.\. (automodule|currentmodule):: (\S+)$", PAGE, flags=re.M)
    pages = {}
    for kind, module, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        names = set(re.findall(r"^   (\w+)$", text, re.M))
        if names:  # else Sphinx lists all members by itself
            pages.setdefault((module, kind == "automodule"), set()).update(names)
    return pages


@pytest.mark.parametrize(("module", "is_complete"), listed())
def test_the_page_lists_what_the_module_exports(module, is_complete):
    imported = importlib.import_module(module)
    # Constants and registries are told of where they are used.
    exported = {name for name in imported.__all__ if callable(getattr(imported, name))}
    assert listed()[module, is_complete] <= set(imported.__all__)
    if is_complete:
        assert exported - EVERYWHERE == set()


def test_every_estimator_has_a_page_of_the_user_guide():
    docs = FOLDER.parent
    spec = importlib.util.spec_from_file_location("pages", docs / "user_guide_pages.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    assert set(pages.USER_GUIDE_PAGES) == set(importlib.import_module("sklvm").__all__)
    for page in set(pages.USER_GUIDE_PAGES.values()):
        assert (docs / "user_guide" / f"{page}.rst").exists()
