"""Sphinx configuration: sphinx-build -W docs docs/_build/html."""

import re
import sys
import zlib
from pathlib import Path

from sphinx.util.docutils import SphinxDirective
from sphinx_gallery.sorting import ExplicitOrder

import sklvm

# sphinx-gallery finds a function by its dotted name, which keeps the configuration picklable.
sys.path.insert(0, str(Path(__file__).parent))

from gallery_order import TOPICS
from objective_matrix import table_lines
from user_guide_pages import USER_GUIDE_PAGES

project = "sklvm"
author = "the sklvm developers"
copyright = author
version = release = sklvm.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulas render without a network
    "sphinx_design",
    "sphinx_copybutton",
    "myst_parser",  # for the changelog and the table of benchmarks
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples"]
default_role = "literal"

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
autosummary_context = {"user_guide_pages": USER_GUIDE_PAGES}
copybutton_exclude = ".linenos, .gp, .go"

# Links to other projects. Where a project's list of names cannot be fetched, an empty one stands in
# for it: the pages then build without a network, with those names unlinked.
_empty_inventory = Path(__file__).parent / "_build" / "empty.inv"
_empty_inventory.parent.mkdir(exist_ok=True)
_empty_inventory.write_bytes(
    b"# Sphinx inventory version 2\n# Project: none\n# Version: none\n"
    b"# The remainder of this file is compressed using zlib.\n" + zlib.compress(b"")
)
intersphinx_mapping = {
    name: (address, (None, str(_empty_inventory)))
    for name, address in {
        "python": "https://docs.python.org/3",
        "numpy": "https://numpy.org/doc/stable",
        "scipy": "https://docs.scipy.org/doc/scipy",
        "sklearn": "https://scikit-learn.org/stable",
        "joblib": "https://joblib.readthedocs.io/en/stable",
    }.items()
}
intersphinx_timeout = 10

html_theme = "pydata_sphinx_theme"
html_title = f"sklvm {release}"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "github_url": "https://github.com/sklvm/sklvm",
    "header_links_before_dropdown": 6,
}
html_static_path = ["_static"]
html_css_files = ["sklvm.css"]

# The gallery runs every example in its quick form; reports go beside the pages.
_reports = Path(__file__).parent / "_build" / "example_reports"


def quick_arguments(gallery_conf, script_vars):
    """Command line of an example in the gallery."""
    return ["--quick", "--output", str(_reports / Path(script_vars["src_file"]).stem)]


sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "subsection_order": ExplicitOrder([f"examples/{topic}" for topic in TOPICS]),
    "within_subsection_order": "gallery_order.ReadingOrder",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "reset_argv": "conf.quick_arguments",
    "show_memory": False,
    "backreferences_dir": "api/backreferences",  # "Examples" on the page of each estimator
    "doc_module": ("sklvm",),
    "download_all_examples": False,
}


def _skip_inherited(app, what, name, member, skip, options):
    """Leave out what scikit-learn gives to every estimator: its own pages document it."""
    module = getattr(member, "__module__", None) or ""
    return True if callable(member) and not module.startswith("sklvm") else None


def _escape(text):
    text = text.replace("|", r"\|")
    text = re.sub(r"(?<=\w)_(?!\w)", r"\_", text)
    return re.sub(r"(?<=[(, ])\*(?=\w+[,)])", r"\*", text)  # (n_components, *filter_shape)


def _escape_formulas(app, what, name, obj, options, lines):
    """Docstrings write |x| and n_features_in_ as they are; reStructuredText would read markup."""
    for i, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...", "..")):
            continue
        outside = re.split(r"(`+[^`]*`+)", line)  # odd parts are literals and roles
        outside[::2] = [_escape(part) for part in outside[::2]]
        lines[i] = "".join(outside)


class ObjectiveMatrix(SphinxDirective):
    """``.. objective-matrix::``, the table of objectives and models."""

    def run(self):
        return self.parse_text_to_nodes("\n".join(table_lines()))


def setup(app):
    app.add_directive("objective-matrix", ObjectiveMatrix)
    app.connect("autodoc-skip-member", _skip_inherited)
    app.connect("autodoc-process-docstring", _escape_formulas, priority=900)  # after numpydoc
