"""Codes of many images: several at a time, or one at a time by all threads."""

import numpy as np
from scipy import sparse

from sklvm.kernels import FilterBank, effective_n_threads, map_on_threads
from sklvm.sparse_coding._problem import CodingProblem
from sklvm.sparse_coding.dictionaries import ConvolutionalDictionary
from sklvm.sparse_coding.solvers import CodeResults, filter_working_set, fista, fits

__all__ = ["IMAGE_SOLVERS", "encode_images", "image_solver"]

IMAGE_SOLVERS = ("auto", "working_set", "fista")


def image_solver(name, penalty, alpha, n_filters):
    """What "auto" stands for, or the name itself where that solver fits.

    Raises
    ------
    ValueError
        If it does not, or the penalty is a constraint.
    """
    if not fits(fista, penalty):
        raise ValueError(
            f"penalty={penalty!r} is a constraint, for which convolutional codes have no solver."
        )
    bound, _ = penalty.bounds(alpha, n_filters)
    reason = None
    if not fits(filter_working_set, penalty):
        reason = f"penalty={penalty!r}, which is not convex"
    elif not (bound > 0).all():
        reason = "codes of some filters that no l1 penalty holds back"
    if name == "working_set" and reason is not None:
        raise ValueError(f"solver='working_set' does not fit {reason}; choose 'fista'.")
    if name == "auto":
        return "working_set" if reason is None else "fista"
    return name


def encode_images(components, geometry, coding, X, start=None, *, n_threads=None):
    """Codes of the rows of X.

    Parameters
    ----------
    components : ndarray of shape (K, n_taps)
    geometry : ConvolutionGeometry
    coding : CodingOptions
        Its solver is one of ``IMAGE_SOLVERS``.
    X : ndarray of shape (n, n_features)
        NaN: not known.
    start : CSR array of shape (n, K * n_places), default=None
    n_threads : int, default=None
        None: what OpenMP and joblib allow. The codes are the same.

    Returns
    -------
    results : CodeResults
        Its codes are a CSR array of float64.
    """
    n_filters = len(components)
    solver = image_solver(coding.solver, coding.penalty, coding.alpha, n_filters)
    encode = (_by_working_set if solver == "working_set" else _by_fista)(
        components, geometry, coding
    )
    total = effective_n_threads(n_threads)
    # Many images: each on one thread. Few: all threads on each.
    n_workers = total if len(X) >= total else 1
    each = 1 if n_workers > 1 else n_threads

    def task(i):
        row = np.asarray(X[i], dtype=np.float64)
        return encode(row, None if start is None else start[[i]], each)

    parts = map_on_threads(task, range(len(X)), n_workers)
    codes, certificates, objectives, n_iter = zip(*parts, strict=True)
    return CodeResults(
        _stack(codes, n_filters * geometry.n_places),
        np.array(certificates),
        np.array(objectives),
        np.array(n_iter, dtype=np.intc),
    )


def _stack(codes, n_columns):
    """CSR of pairs (columns, values), the columns increasing."""
    ends = np.cumsum([0, *(len(columns) for columns, _ in codes)])
    index = np.int32 if max(n_columns, ends[-1]) < 2**31 else np.int64
    columns = np.concatenate([columns for columns, _ in codes]).astype(index)
    values = np.concatenate([values for _, values in codes])
    return sparse.csr_array((values, columns, ends.astype(index)), shape=(len(codes), n_columns))


def _by_working_set(components, geometry, coding):
    n_filters = len(components)
    bound, ridge = coding.penalty.bounds(coding.alpha, n_filters)
    bank = FilterBank(geometry.filters(components), bound, positive=coding.positive)

    def encode(row, start, n_threads):
        image, mask = geometry.image(row)
        if start is not None:
            start = _start(geometry, start, n_filters, coding.positive)
        found = filter_working_set(
            bank,
            image,
            mask,
            circular=geometry.boundary == "circular",
            ridge=ridge,
            start=start,
            tol=coding.tol,
            max_iter=coding.max_iter,
            n_threads=n_threads,
        )
        columns = geometry.columns(found.keys, n_filters)
        order = np.argsort(columns)
        codes = columns[order], found.values[order]
        return codes, found.certificate, found.objective, found.n_iter

    return encode


def _start(geometry, start, n_filters, positive):
    """Keys, increasing, and values of a row of CSR codes."""
    used = start.data > 0 if positive else start.data != 0
    keys = geometry.keys(start.indices[used].astype(np.int64), n_filters)
    order = np.argsort(keys)
    return keys[order], start.data[used][order].astype(np.float64)


def _by_fista(components, geometry, coding):
    dictionary = ConvolutionalDictionary(components, geometry)
    complete = CodingProblem(dictionary, coding.penalty, coding.alpha, coding.positive, 1)

    def encode(row, start, n_threads):
        known = ~np.isnan(row)
        problem = complete if known.all() else complete.on_features(known)
        result = fista(problem, row[np.newaxis, known], start, coding.tol, coding.max_iter)
        columns = np.flatnonzero(result.codes[0])
        codes = columns, result.codes[0, columns]
        return codes, result.certificates[0], result.objectives[0], result.n_iter[0]

    return encode
