"""Seconds to convolutional sparse codes, and what sporco's ADMM and PGM take for them.

The images are the upper left corner of scikit-image's camera over 255, less sporco's low-pass
(Tikhonov of 5, padded by 16); filters are scaled to norm 1 and wrap around. Each side codes in a
process of its own, one after the other, and the least of the rounds counts. Columns: seconds of
processor time (of the wall on more threads) until the objective is within 1e-2, 1e-3 and 1e-4 of
its minimum, seconds to a certified gap of 1e-4, which only sklvm offers, and how many times as long
the rival takes to 1e-4 as sklvm does to 1e-4, and to that certificate.

sporco has its fastest settings: float32, FastSolve, HighMemSolve, transforms planned before, the
exact Lipschitz constant for PGM, and its objective is that of the sparse iterate, evaluated with
the clock stopped. Filters "G8" and "G12" come with it. It may live in another environment:
``--rival-python`` is that one's interpreter.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Image side, filters, λ, and the minimum: of coordinate descent and ADMM to seven digits.
CASES = [
    (256, "rand", 0.05, 23.086409),
    (256, "G8", 0.05, 13.342034),
    (256, "rand", 0.01, 5.739840),
    (256, "G8", 0.01, 3.626934),
    (256, "G12", 0.05, 11.235778),
    (512, "G8", 0.05, 103.076528),
    (512, "rand", 0.05, 140.251423),
    (512, "G8", 0.01, 28.559658),
]
QUICK = [(64, "rand", 0.002, None)]
LEVELS = (1e-2, 1e-3, 1e-4)
GAP = 1e-4
SIDES = ("sklvm", "sporco ADMM", "sporco PGM")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small image, once: a smoke test")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cases", type=int, nargs="*", help="indices; default: all")
    parser.add_argument("--rival-python", default=sys.executable, help="interpreter with sporco")
    parser.add_argument("--memory", action="store_true", help="a 4096 x 4096 image, and times")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return work(*arguments.worker, arguments.threads)
    if arguments.memory:
        return memory(arguments.threads)
    cases = QUICK if arguments.quick else CASES
    if arguments.cases:
        cases = [cases[i] for i in arguments.cases]
    print(f"{'case':<16}{'side':<14}" + "".join(f"{level:>9.0e}" for level in LEVELS), end="")
    print(f"{'gap 1e-4':>10}{'ratio':>8}{'gap r.':>8}{'minimum':>13}{'nonzero':>9}")
    with tempfile.TemporaryDirectory() as folder:
        shipped = rival_filters(arguments, Path(folder) / "filters.npz")
        for case in cases:
            race(case, shipped, Path(folder) / "case.npz", arguments)
    return 0


def race(case, shipped, path, arguments):
    side, name, alpha, minimum = case
    label = f"{side} {name} {alpha}"
    filters = np.random.default_rng(0).standard_normal((8, 8, 32)) if name == "rand" else None
    if filters is None and shipped is not None:
        filters = shipped[name]
    if filters is None:
        print(f"{label:<16}{'filters ship with sporco, which is absent':>44}")
        return
    filters = np.moveaxis(filters / np.sqrt((filters**2).sum(axis=(0, 1))), -1, 0)
    image = high_passed(side)
    if minimum is None:
        minimum = reference(image, filters, alpha)
    np.savez(path, image=image, filters=filters, alpha=alpha, minimum=minimum)
    results = {name: [] for name in SIDES}
    for _ in range(1 if arguments.quick else arguments.rounds):
        for name in SIDES:
            results[name].append(run(name, path, arguments))
    best = {name: least(rounds) for name, rounds in results.items()}
    ours = best["sklvm"]
    for name, values in best.items():
        if values is None:
            print(f"{label:<16}{name:<14}{'absent':>9}")
            continue
        times = "".join(f"{seconds:>9.3f}" for seconds in values["seconds"])
        if name == "sklvm":
            tail = f"{values['gap']:>10.3f}{'':>16}{values['objective']:>13.6f}"
            tail += f"{values['nonzero']:>9.2%}"
        else:
            last = values["seconds"][-1]
            tail = f"{'':>10}{last / ours['seconds'][-1]:>8.1f}{last / ours['gap']:>8.1f}"
        print(f"{label:<16}{name:<14}{times}{tail}", flush=True)


def least(rounds):
    if any(each is None for each in rounds):
        return None
    out = dict(rounds[-1])
    out["seconds"] = [min(values) for values in zip(*(r["seconds"] for r in rounds), strict=True)]
    if "gap" in out:
        out["gap"] = min(r["gap"] for r in rounds)
    return out


def run(name, path, arguments):
    python = sys.executable if name == "sklvm" else arguments.rival_python
    answer = subprocess.run(
        [python, __file__, "--worker", name, str(path), "--threads", str(arguments.threads)],
        env={**os.environ, "OMP_NUM_THREADS": str(arguments.threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        if "No module named 'sporco'" in answer.stderr:
            return None
        raise RuntimeError(answer.stderr)
    return json.loads(answer.stdout.splitlines()[-1])


def rival_filters(arguments, path):
    """The filters that ship with sporco, by name; None where it is absent."""
    code = (
        "import numpy as np\nfrom sporco import util\nd = util.convdicts()\n"
        f"np.savez({str(path)!r}, G8=d['G:8x8x32'], G12=d['G:12x12x64'])"
    )
    answer = subprocess.run([arguments.rival_python, "-c", code], capture_output=True, check=False)
    return None if answer.returncode else dict(np.load(path))


def high_passed(side):
    from skimage.data import camera

    image = camera()[:side, :side] / 255
    return image - low_passed(image)


def low_passed(image, pad=16):
    """sporco's ``tikhonov_filter(image, 5, 16)[0]``."""
    padded = np.pad(image, pad, mode="symmetric")
    waves = [4 * np.sin(np.pi * np.arange(n) / n) ** 2 for n in padded.shape]
    spectrum = np.fft.fft2(padded) / (1 + 5 * np.add.outer(*waves))
    return np.fft.ifft2(spectrum).real[pad:-pad, pad:-pad]


def work(name, path, threads):
    case = dict(np.load(path))
    side = {"sklvm": sklvm_seconds, "sporco ADMM": admm_seconds, "sporco PGM": pgm_seconds}[name]
    clock = time.process_time if threads == 1 else time.perf_counter
    print(json.dumps(side(case, threads, clock)))
    return 0


# -- sklvm ----------------------------------------------------------------------------------------


def make_coder(image, filters, alpha, threads, **params):
    from sklvm import ConvolutionalSparseCoder

    coder = ConvolutionalSparseCoder(
        filters,
        image_shape=image.shape,
        alpha=float(alpha),
        boundary="circular",
        sparse_output=True,
        n_jobs=threads,
        **params,
    )
    return coder.fit(image.reshape(1, -1))


def reference(image, filters, alpha):
    coder = make_coder(image, filters, alpha, 1, tol=1e-9, max_iter=5000)
    return -float(coder.score_samples(image.reshape(1, -1))[0])


def sklvm_seconds(case, threads, clock):
    """For each level, the seconds of so many scans as it takes."""
    import warnings

    warnings.simplefilter("ignore")
    image, filters, alpha = case["image"], case["filters"], case["alpha"]
    X = image.reshape(1, -1)

    def timed(**params):
        coder = make_coder(image, filters, alpha, threads, **params)
        start = clock()
        Z, info = coder.encode(X, return_info=True)
        return clock() - start, info, Z

    timed(max_iter=3)
    seconds, n_scans = [], 2
    for level in LEVELS:
        while timed(tol=0, max_iter=n_scans)[1].objective_[0] > case["minimum"] * (1 + level):
            n_scans += 1
        seconds.append(min(timed(tol=0, max_iter=n_scans)[0] for _ in range(2)))
    rounds = [timed(tol=GAP, max_iter=5000) for _ in range(2)]
    _, info, Z = rounds[0]
    return {
        "seconds": seconds,
        "gap": min(each[0] for each in rounds),
        "objective": float(info.objective_[0]),
        "nonzero": Z.nnz / math.prod(Z.shape),
    }


# -- sporco ---------------------------------------------------------------------------------------


def admm_seconds(case, threads, clock):
    from sporco.admm import cbpdn

    image, filters, alpha = sporco_arrays(case, threads)
    options = cbpdn.ConvBPDN.Options(
        {
            "Verbose": False,
            "RelStopTol": 0.0,
            "FastSolve": True,
            "HighMemSolve": True,
            "DataType": np.float32,
        }
    )

    def make():
        return cbpdn.ConvBPDN(filters, image, alpha, options)

    return sporco_seconds(make, lambda solver: solver.Y, case, clock)


def pgm_seconds(case, threads, clock):
    from sporco.pgm import cbpdn

    image, filters, alpha = sporco_arrays(case, threads)
    spectra = np.fft.fft2(filters, s=image.shape, axes=(0, 1))
    options = cbpdn.ConvBPDN.Options(
        {
            "Verbose": False,
            "RelStopTol": 0.0,
            "FastSolve": True,
            "DataType": np.float32,
            "L": float((np.abs(spectra) ** 2).sum(axis=2).max()),
        }
    )

    def make():
        return cbpdn.ConvBPDN(filters, image, alpha, options)

    return sporco_seconds(make, lambda solver: solver.X, case, clock)


def sporco_arrays(case, threads):
    import sporco.fft

    sporco.fft.pyfftw_threads = threads
    filters = np.moveaxis(case["filters"], 0, -1)
    image = np.ascontiguousarray(case["image"], np.float32)
    return image, np.ascontiguousarray(filters, np.float32), float(case["alpha"])


def sporco_seconds(make, codes_of, case, clock, longest=120.0):
    warm_up = make()
    warm_up.opt["MaxMainIter"] = 3
    warm_up.solve()
    solver, spent, seconds = make(), 0.0, []
    spectra = np.fft.fft2(np.moveaxis(case["filters"], 0, -1), s=case["image"].shape, axes=(0, 1))
    solver.opt["MaxMainIter"] = 5
    while len(seconds) < len(LEVELS) and spent < longest:
        start = clock()
        solver.solve()
        spent += clock() - start
        Z = np.asarray(codes_of(solver), np.float64).reshape(*case["image"].shape, -1)
        fit = np.fft.ifft2((np.fft.fft2(Z, axes=(0, 1)) * spectra).sum(axis=2)).real
        objective = 0.5 * np.sum((case["image"] - fit) ** 2) + case["alpha"] * np.abs(Z).sum()
        while len(seconds) < len(LEVELS) and objective <= case["minimum"] * (
            1 + LEVELS[len(seconds)]
        ):
            seconds.append(spent)
    return {"seconds": seconds + [math.inf] * (len(LEVELS) - len(seconds))}


# -- memory ---------------------------------------------------------------------------------------


def memory(threads):
    """Seconds a million pixels and the process's greatest memory, for images of growing size."""
    import resource

    from skimage.data import camera

    filters = np.random.default_rng(0).standard_normal((32, 8, 8))
    filters /= np.sqrt((filters**2).sum(axis=(1, 2), keepdims=True))
    print(f"{'pixels':>12}{'seconds':>10}{'s / Mpixel':>12}{'nonzero':>10}{'greatest MB':>13}")
    for side in (512, 1024, 2048, 4096):
        tile = camera() / 255.0
        image = np.tile(tile - tile.mean(), (side // 512, side // 512))
        image += 0.02 * np.random.default_rng(1).standard_normal(image.shape)
        coder = make_coder(image, filters, 0.5, threads, tol=1e-2)
        start = time.perf_counter()
        Z = coder.transform(image.reshape(1, -1))
        seconds = time.perf_counter() - start
        greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{image.size:>12,}{seconds:>10.2f}{1e6 * seconds / image.size:>12.2f}{Z.nnz:>10,}"
            f"{greatest:>13,.0f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
