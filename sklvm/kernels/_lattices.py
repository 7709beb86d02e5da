"""Sweeps of Ising lattices."""

import numpy as np

from sklvm.kernels._lattice_loops import lattice_loop
from sklvm.kernels._random import uniform
from sklvm.kernels._threads import threads_for

__all__ = ["ising_sweep"]


def ising_sweep(bits, coupling, bias, seed, sweep=0, n_threads=None):
    """A sweep of Gibbs sampling over lattices of bits, in place.

    ::

        log p(x) = b Σ_s x_s + J Σ_{s~t} [x_s = x_t] + constant

    on grids with free borders and four neighbours. Conditional probabilities take few values: they
    are looked up, at the 24 bits of single precision.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n, height, width), C-contiguous
        0 or 1; overwritten.
    coupling, bias : float
        J and b.
    seed, sweep : int
        Of the random numbers; those of a site depend on these, on its lattice and its place alone.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`.

    Returns
    -------
    bits : ndarray
        The same array.

    Raises
    ------
    TypeError
        If `bits` is no array of uint8.
    ValueError
        If it does not have three dimensions, or is not C-contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import ising_sweep
    >>> bits = np.zeros((1, 100, 100), dtype=np.uint8)
    >>> for sweep in range(20):
    ...     _ = ising_sweep(bits, 0.0, 1.0, seed=0, sweep=sweep)
    >>> round(float(bits.mean()), 1)  # 1 / (1 + e⁻¹)
    0.7
    """
    if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8:
        raise TypeError("bits must be an array of uint8.")
    if bits.ndim != 3 or not bits.flags.c_contiguous:
        raise ValueError(f"bits must be C-contiguous of three dimensions, got shape {bits.shape}.")
    n, height, width = bits.shape
    neighbours, ones = np.indices((5, 5))
    logits = bias + coupling * (2 * ones - neighbours)
    thresholds = (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32).ravel()
    n_threads = threads_for(bits.size, n_threads)
    if bits.size:
        draws = uniform(
            (n * height, width), seed, sweep=sweep, dtype=np.float32, n_threads=n_threads
        )
        lattice_loop(draws, bits, np.zeros(width, dtype=np.uint8), thresholds, n_threads)
    return bits
