"""Training on a stream: ``BernoulliRBM.partial_fit`` over 1,000,000 × 784 rows, chunk by chunk.

Chunks of 10,000 float32 rows (31 MB) are made when they are needed and dropped again. Time should
grow in proportion to the rows, and memory not at all: the table has the time of each tenth of the
stream, that of making its rows left out, and how far the process's peak is above what it was with
the first chunk in memory and no model.
"""

import argparse
import resource
import time

import numpy as np

from sklvm import BernoulliRBM

N_FEATURES, CHUNK, N_COMPONENTS = 784, 10_000, 500


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 rows in chunks of 1,000")
    is_quick = parser.parse_args().quick
    n_rows, n_chunk_rows = (20_000, 1_000) if is_quick else (1_000_000, CHUNK)
    chunks = strokes(n_rows, n_chunk_rows)
    chunk = next(chunks)
    base = peak_megabytes()
    print(f"{n_rows} x {N_FEATURES}, {N_COMPONENTS} hidden units, ", end="")
    print(f"chunks of {chunk.nbytes / 1e6:.0f} MB")
    print(f"{'rows':>10}{'seconds a tenth':>17}{'rows a second':>15}{'MB over the chunk':>19}")
    model = BernoulliRBM(N_COMPONENTS, optimizer="adam", random_state=0, max_iter=20)
    seconds, tenths, n_seen = 0.0, [], 0
    while chunk is not None:
        start = time.perf_counter()
        model.partial_fit(chunk)
        seconds += time.perf_counter() - start
        n_seen += len(chunk)
        chunk = next(chunks, None)
        if n_seen % (n_rows // 10) == 0:
            rate = n_rows / 10 / seconds
            print(f"{n_seen:>10}{seconds:>17.2f}{rate:>15.0f}{peak_megabytes() - base:>19.0f}")
            tenths.append(seconds)
            seconds = 0.0
    print(f"the last tenth took {tenths[-1] / tenths[0]:.2f} times as long as the first, ", end="")
    print(f"all of them {sum(tenths):.1f} s")


def strokes(n_rows, n_chunk_rows):
    """Chunks of binary images with a horizontal or vertical bar of random place and width."""
    rng = np.random.default_rng(0)
    place = np.arange(28)
    for _ in range(n_rows // n_chunk_rows):
        centre, width = rng.integers(28, size=n_chunk_rows), rng.integers(1, 4, size=n_chunk_rows)
        profile = np.abs(place - centre[:, np.newaxis]) <= width[:, np.newaxis]
        upright = rng.random(n_chunk_rows) < 0.5
        images = np.where(
            upright[:, np.newaxis, np.newaxis], profile[:, np.newaxis], profile[:, :, np.newaxis]
        )
        yield images.reshape(n_chunk_rows, N_FEATURES).astype(np.float32)


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
