"""Where the learning of a dictionary starts."""

import numpy as np

from sklvm.rows import starting_rows

__all__ = ["initial_dictionary", "unit_atoms"]


def initial_dictionary(init, n_components, X, weights, *, positive, rng):
    """Atoms to start from.

    Parameters
    ----------
    init : "data", "svd" or ndarray of shape (n_components, n_features)
        Rows drawn at random in proportion to their weights, the leading right singular vectors of
        the weighted data and rows for what they lack in number, or these atoms.
    n_components : int
    X : ndarray of shape (n, n_features)
    weights : ndarray of shape (n,)
    positive : bool
        Whether atoms are to be non-negative.
    rng : Generator

    Returns
    -------
    dictionary : ndarray of float64, shape (n_components, n_features)
        Of norm 1; given atoms of norm at most 1.

    Raises
    ------
    ValueError
        If given atoms are of another shape, or a feature of X has no observed value.
    """
    n_features = X.shape[1]
    if not isinstance(init, str):
        if init.shape != (n_components, n_features):
            raise ValueError(
                f"init must have shape (n_components, n_features) = {(n_components, n_features)}, "
                f"got {init.shape}."
            )
        atoms = np.maximum(init, 0) if positive else np.array(init)
        return atoms / np.maximum(np.linalg.norm(atoms, axis=1, keepdims=True), 1)
    X, weights = starting_rows(X, weights, rng)
    atoms = np.empty((0, n_features))
    if init == "svd":
        atoms = unit_atoms(_singular_vectors(X, weights)[:n_components], positive, rng)
    rows = _drawn_rows(X, weights, n_components - len(atoms), rng)
    return np.vstack([atoms, unit_atoms(rows, positive, rng)])


def _singular_vectors(X, weights):
    X = np.asarray(X, dtype=np.float64)
    eigenvalues, vectors = np.linalg.eigh((weights[:, np.newaxis] * X).T @ X)
    rank = np.sum(eigenvalues > eigenvalues[-1] * len(eigenvalues) * np.finfo(np.float64).eps)
    atoms = vectors.T[::-1][:rank]
    largest = np.abs(atoms).argmax(axis=1)
    return atoms * np.sign(atoms[np.arange(rank), largest])[:, np.newaxis]


def _drawn_rows(X, weights, n_rows, rng):
    """Rows of X, none of them twice or zero; rows of zeros where there are no more."""
    chances = weights * X.any(axis=1)
    n_drawn = min(n_rows, np.count_nonzero(chances))
    rows = np.zeros((n_rows, X.shape[1]))
    if n_drawn:
        chances = chances.astype(np.float64)
        rows[:n_drawn] = X[rng.choice(len(X), n_drawn, replace=False, p=chances / chances.sum())]
    return rows


def unit_atoms(rows, positive, rng):
    """Rows scaled to norm 1, without their negative entries on demand; noise in place of zeros."""
    atoms = np.maximum(rows, 0) if positive else np.array(rows, dtype=np.float64)
    empty = ~atoms.any(axis=1)
    noise = rng.standard_normal((empty.sum(), atoms.shape[1]))
    atoms[empty] = np.abs(noise) if positive else noise
    # Two divisions: the square of a row may overflow or vanish.
    atoms /= np.abs(atoms).max(axis=1, keepdims=True, initial=0)
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
