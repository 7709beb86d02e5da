"""Sparse codes of an image under an l1 penalty: coordinate descent on a working set."""

from typing import NamedTuple

import numpy as np

from sklvm.kernels import FilteredImage
from sklvm.sparse_coding.solvers._needs import needs

__all__ = ["ImageCodes", "filter_working_set"]

# A round of the working set adds at most so many times its size, and so many more.
_GROWTH, _MOST_NEW = 3, 2000
# So many atoms need no threshold that falls.
_FEW_ATOMS = 10_000
# What a threshold is of the one before.
_FALL = 0.33
# Sweeps a round: while the threshold of violators falls, and after that.
_FALLING_SWEEPS, _SWEEPS = 8, 30
# From this gap on the support changes little, and conjugate gradients take over between sweeps.
# Before that they have a try once in a few rounds: filters may be so alike that sweeps get nowhere.
_DIRECT_GAP = 0.03
_DIRECT_ROUNDS = 5
_GRADIENT_STEPS = 30
_HALVINGS = 8
# They end where the squared gradient is this part of what it was.
_EXACT = 1e-24
# Below this part of ½‖x‖² the gap is told relative to that, as in certificate.h.
_SMALLEST_OBJECTIVE = 1e-6


class ImageCodes(NamedTuple):
    """Codes of one image.

    Attributes
    ----------
    keys : ndarray of int64, shape (n_nonzero,)
        Increasing; see :class:`sklvm.kernels.FilteredImage`.
    values : ndarray of shape (n_nonzero,)
    certificate, objective : float
        Relative duality gap, and ½‖m ⊙ (x − zD)‖² + Σ bound |z| + ½ Σ ridge z².
    n_iter : int
        Scans of the whole image.
    residual : ndarray of the image's shape
        m ⊙ (x − zD).
    """

    keys: np.ndarray
    values: np.ndarray
    certificate: float
    objective: float
    n_iter: int
    residual: np.ndarray


@needs(penalty=("separable", "convex"))
def filter_working_set(
    bank, image, mask=None, *, circular, ridge=None, start=None, tol, max_iter, n_threads=None
):
    """Minimise ½‖m ⊙ (x − Σ_k d_k ∗ z_k)‖² + Σ_k bound_k ‖z_k‖₁ + ½ Σ_k ridge_k ‖z_k‖².

    A scan correlates the residual with every filter everywhere and certifies the codes: r scaled by
    s = min(1, 1 / max(|g_k| / bound_k)), g_k = corr(r, d_k), is feasible in the dual, whose
    objective there is s⟨r, x⟩ − ½s²‖r‖². It also finds the atoms that violate the optimality
    conditions by more than a threshold, which falls to none. They join those in use, and
    sweeps take each atom in turn to its minimum, z ← S(⟨r, d⟩ + c z, bound) / (c + ridge). Zeros
    leave. Once the gap is small, conjugate gradients solve for the codes of given signs.

    Parameters
    ----------
    bank : FilterBank
    image : ndarray of float64, shape (height, width, channels)
    mask : ndarray of bool of the same shape, default=None
    circular : bool
    ridge : ndarray of shape (K,), default=None
    start : tuple of keys and values, default=None
    tol, max_iter : float, int
        The gap at which to end, and the greatest number of scans.
    n_threads : int, default=None

    Returns
    -------
    codes : ImageCodes
    """
    state = _State(bank, image, mask, circular, ridge, n_threads)
    if start is not None:
        state.join(*start)
        state.sweep(_FALLING_SWEEPS)
    # Few atoms may all join at once, and codes to start from need only a few more. Otherwise the
    # first scan only looks how large correlations are.
    threshold = 1.0 if start is not None or state.n_atoms <= _FEW_ATOMS else None
    n_scans = n_rounds = 0
    while True:
        scanned = state.scan(np.inf if threshold is None else threshold)
        n_scans += 1
        gap = state.gap(scanned.largest)
        if gap <= tol or n_scans >= max_iter:
            break
        if threshold is None:
            threshold = max(1.0, _FALL * scanned.largest)
            continue
        state.join(scanned.keys, np.zeros(len(scanned.keys)))
        if threshold > 1:
            state.sweep(_FALLING_SWEEPS)
            threshold = max(1.0, _FALL * min(threshold, scanned.largest))
            continue
        n_rounds += 1
        if gap < _DIRECT_GAP or n_rounds % _DIRECT_ROUNDS == 0:
            state.solve_on_support()
        state.sweep(_SWEEPS)
    keys, values = state.nonzero()
    return ImageCodes(keys, values, gap, state.objective(), n_scans, state.image.residual)


class _Scanned(NamedTuple):
    keys: np.ndarray
    largest: float


class _State:
    """Image, residual, working set and its codes."""

    def __init__(self, bank, image, mask, circular, ridge, n_threads):
        self.image = FilteredImage(bank, image, mask, circular=circular, n_threads=n_threads)
        self._bank = bank
        self._ridge = None if ridge is None else np.asarray(ridge, dtype=np.float64)
        self.n_atoms = self.image.map_shape[0] * self.image.map_shape[1] * bank.n_filters
        known = self.image.residual
        self._known = known.copy()
        self._squared_norm = float(np.einsum("ijc,ijc->", known, known))
        self._take(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))

    def _take(self, keys, codes, curvatures):
        """The working set in increasing order of its keys; the residual is kept."""
        atoms = self.image.atoms(keys)
        order = np.searchsorted(keys, atoms.keys)
        self._atoms, self._codes = atoms, codes[order]
        self._bounds = self._bank.bound[atoms.filter]
        self._ridges = 0.0 if self._ridge is None else self._ridge[atoms.filter]
        self._curvatures = curvatures[order]
        self._inverses = 1 / (self._curvatures + self._ridges)

    def join(self, keys, values):
        """Atoms with these codes join, in increasing order; of zero codes those in use leave."""
        used = self._codes != 0
        old_keys, old = self._atoms.keys[used], self._codes[used]
        order = np.argsort(old_keys)
        old_keys, old = old_keys[order], old[order]
        old_curvatures = self._curvatures[used][order]
        place = np.searchsorted(old_keys, keys)
        known = np.zeros(len(keys), dtype=bool)
        within = place < len(old_keys)
        known[within] = old_keys[place[within]] == keys[within]
        new = self.image.atoms(keys[~known])
        values = np.asarray(values, dtype=np.float64)[~known]
        values = values[np.searchsorted(keys[~known], new.keys)]
        curvatures = self.image.curvatures(new)
        if values.any():
            self.image.subtract(new, values)
        merged = np.concatenate([old_keys, new.keys])
        order = np.argsort(merged)
        self._take(
            merged[order],
            np.concatenate([old, values])[order],
            np.concatenate([old_curvatures, curvatures])[order],
        )

    def scan(self, threshold):
        """New atoms among the largest violators, and the largest |g − ridge z| / bound."""
        keys, values, largest = self.image.scan(threshold)
        members = np.sort(self._atoms.keys[self._codes != 0])
        place = np.minimum(np.searchsorted(members, keys), max(len(members) - 1, 0))
        is_new = members[place] != keys if len(members) else np.ones(len(keys), dtype=bool)
        keys, values = keys[is_new], np.abs(values[is_new])
        if self._ridge is not None and threshold <= 1:
            largest = max(1.0, values.max(initial=0), self._largest_of_members())
        most = _GROWTH * len(members) + _MOST_NEW
        if len(keys) > most:
            # By value, and of equal ones by key: the same whatever the order of the finds.
            keys = np.sort(keys[np.lexsort((keys, -values))[:most]])
        return _Scanned(keys, largest)

    def _largest_of_members(self):
        g = self.image.products(self._atoms) - self._ridges * self._codes
        return np.max((g if self._bank.positive else np.abs(g)) / self._bounds, initial=0)

    def sweep(self, n_sweeps):
        self.image.descend(self._atoms, self._codes, self._curvatures, self._inverses, n_sweeps)

    def objective(self):
        r = self.image.residual
        fit = 0.5 * float(np.einsum("ijc,ijc->", r, r))
        return fit + self._penalty(self._codes)

    def _penalty(self, codes):
        ridge = 0.5 * np.sum(self._ridges * codes**2)
        return float(self._bounds @ np.abs(codes)) + float(ridge)

    def gap(self, largest):
        """Relative duality gap where the largest |g − ridge z| / bound is known. The ridge is a
        dictionary of further features, at which x is zero and the residual −√ridge z."""
        r, scale = self.image.residual, 1 / max(1.0, largest)
        r2 = float(np.einsum("ijc,ijc->", r, r)) + float(np.sum(self._ridges * self._codes**2))
        rx = float(np.einsum("ijc,ijc->", r, self._known))
        objective = self.objective()
        gap = objective - (scale * rx - 0.5 * scale**2 * r2)
        floor = _SMALLEST_OBJECTIVE * 0.5 * self._squared_norm
        return max(gap, 0.0) / max(objective, floor) if self._squared_norm > 0 else 0.0

    def solve_on_support(self):
        """Conjugate gradients for the codes of the present signs, preconditioned by the diagonal.

        Codes whose sign would change become zero; the step is halved until the objective falls.
        """
        used = np.flatnonzero(self._codes)
        if not len(used):
            return
        atoms, codes = self._subset(used), self._codes[used]
        bounds, inverses = self._bounds[used], self._inverses[used]
        ridges = self._ridges if np.ndim(self._ridges) == 0 else self._ridges[used]
        g = self.image.products(atoms) - ridges * codes - bounds * np.sign(codes)
        move, direction = np.zeros_like(codes), inverses * g
        product = g @ direction
        least = _EXACT * product
        for _ in range(_GRADIENT_STEPS):
            bent = self.image.normal(atoms, direction) + ridges * direction
            curvature = direction @ bent
            if not (curvature > 0 and product > least):
                break
            step = product / curvature
            move += step * direction
            g -= step * bent
            scaled = inverses * g
            previous, product = product, g @ scaled
            direction = scaled + product / previous * direction
        before, residual = self.objective(), self.image.residual.copy()
        for halving in range(_HALVINGS):
            to = codes + 0.5**halving * move
            to[np.sign(to) != np.sign(codes)] = 0
            self.image.subtract(atoms, to - codes)
            self._codes[used] = to
            if self.objective() <= before:
                return
            self.image.residual[...] = residual
        self._codes[used] = codes

    def _subset(self, used):
        """Those atoms, by the same turns."""
        ends = np.searchsorted(used, self._atoms.group_ends)
        arrays = (np.ascontiguousarray(array[used]) for array in self._atoms[:4])
        return self._atoms._replace(
            **dict(zip(("keys", "row", "column", "filter"), arrays, strict=True)), group_ends=ends
        )

    def nonzero(self):
        used = self._codes != 0
        order = np.argsort(self._atoms.keys[used])
        return self._atoms.keys[used][order], self._codes[used][order]
