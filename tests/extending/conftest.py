"""The pages' own files, imported as a reader would who has added them to a project."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "extending"))
