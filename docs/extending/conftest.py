"""The pages' modules import one another, in doctests as in a reader's folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
