"""Fits on one and two workers of one thread, of rows in a file: seconds and memory.

The rows are written to a file block by block and mapped, never read at once. Workers are processes
of joblib's loky. Peak memory is what the process that asks takes at most during the fit, beside
what it had before and pages of the mapped file.

    python benchmarks/distributed.py [--rows 2000000] [--quick]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklvm import BernoulliMixture, DictionaryLearner, GaussianMixture

WIDTH, BLOCK = 50, 100_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test: few rows, two models")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--fit", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fit:
        name, path, n_workers = arguments.fit
        print(json.dumps(fit(name, path, int(n_workers))))
        return
    n_rows = 50_000 if arguments.quick else arguments.rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        write_rows(path, n_rows)
        print(f"{n_rows:,} × {WIDTH} rows, float32, {path.stat().st_size / 1e6:.0f} MB; two passes")
        print(f"{'':>22}{'1 worker':>12}{'2 workers':>12}{'ratio':>8}{'peak MB':>10}")
        # Processes and their workers take seconds to start.
        names = ["GaussianMixture diag", "DictionaryLearner"] if arguments.quick else MODELS
        for name in names:
            seconds, memory = zip(*(in_a_process(name, path, n) for n in (1, 2)), strict=True)
            print(
                f"{name:>22}{seconds[0]:>10.1f} s{seconds[1]:>10.1f} s"
                f"{seconds[0] / seconds[1]:>8.2f}{memory[0]:>10.0f}",
                flush=True,
            )


MODELS = {
    "GaussianMixture diag": lambda: GaussianMixture(10, covariance_type="diag", **SETTINGS),
    "GaussianMixture full": lambda: GaussianMixture(10, **SETTINGS),
    "BernoulliMixture": lambda: BernoulliMixture(10, **SETTINGS),
    "DictionaryLearner": lambda: DictionaryLearner(
        32, alpha=0.2, max_iter=2, tol=0, random_state=0
    ),
}
SETTINGS = {"max_iter": 2, "tol": 0, "n_init": 1, "init": "data", "random_state": 0}


def write_rows(path, n_rows):
    """Rows in [0, 1] from ten clusters, a block at a time."""
    rng = np.random.default_rng(0)
    centres = rng.random((10, WIDTH), dtype=np.float32)
    out = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, WIDTH))
    for start in range(0, n_rows, BLOCK):
        block = out[start : start + BLOCK]
        noise = rng.random(block.shape, dtype=np.float32)
        block[:] = 0.5 * (centres[rng.integers(10, size=len(block))] + noise)
    out.flush()


def in_a_process(name, path, n_workers):
    """Seconds and peak megabytes of a fit in a process of its own."""
    command = [sys.executable, __file__, "--fit", name, str(path), str(n_workers)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def fit(name, path, n_workers):
    """What a process does: a fit of few rows, so that its workers are there, and one of all."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X = np.load(path, mmap_mode="r")
    model = MODELS[name]().set_params(n_jobs=n_workers)
    with threadpool_limits(1), joblib.parallel_config(backend="loky", n_jobs=n_workers):
        model.fit(X[:20_000])
        before, start = _own_memory(), time.perf_counter()
        model.fit(X)
        return time.perf_counter() - start, _own_memory(peak=True) - before


def _own_memory(peak=False):
    """Megabytes of this process; without the pages of files, where the system tells."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    fields = dict(line.split(":", 1) for line in lines)
    megabytes = {key: int(value.split()[0]) / 1e3 for key, value in fields.items() if "kB" in value}
    return megabytes["VmHWM"] - megabytes["RssFile"] if peak else megabytes["RssAnon"]


if __name__ == "__main__":
    main()
