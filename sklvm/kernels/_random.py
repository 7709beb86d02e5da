"""Random arrays whose every entry is a function of the seed and of its place.

An entry does not depend on the entries around it, on the number of threads, or on how an array is
cut into chunks of rows: ``uniform((100, m), seed)[40:60]`` is ``uniform((20, m), seed,
row_offset=40)``. That is what makes a Gibbs chain reproducible at any number of threads.
"""

from numbers import Integral

import numpy as np

from sklvm.kernels._arrays import FLOATS, check_out
from sklvm.kernels._random_loops import normal_loop, philox_loop, uniform_loop
from sklvm.kernels._threads import threads_for


def philox4x32(counter, key):
    """Philox4x32-10, the counter-based random number generator of Salmon et al. [1]_.

    Parameters
    ----------
    counter : array-like of shape (n, 4), unsigned 32-bit integers
        One counter a row.
    key : array-like of shape (2,), unsigned 32-bit integers

    Returns
    -------
    words : ndarray of shape (n, 4), dtype uint32
        One random block a row, a function of the row's counter and the key only.

    Raises
    ------
    TypeError
        If `counter` or `key` are not integers.
    ValueError
        If their shape is another, or an entry does not fit in 32 bits.

    References
    ----------
    .. [1] J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy
       as 1, 2, 3", SC 2011.

    Examples
    --------
    >>> from sklvm.kernels import philox4x32
    >>> [f"{word:08x}" for word in philox4x32([[0, 0, 0, 0]], [0, 0])[0]]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    counter = _check_words(counter, "counter", (None, 4))
    key = _check_words(key, "key", (2,))
    words = np.empty_like(counter)
    philox_loop(counter, int(key[0]) | int(key[1]) << 32, words)
    return words


def uniform(shape, seed, *, sweep=0, layer=0, row_offset=0, dtype=np.float64, n_threads=None):
    """Uniform numbers in [0, 1), indexed by seed, row, unit, sweep and layer.

    Unit j of row i is made of word ``j % 4`` of :func:`philox4x32` at counter ``(j // 4,
    row_offset + i, sweep, layer)`` and key `seed`: of its top 24 bits in float32. In float64, 21
    more bits from the same word at counter ``(2**31 + j // 4, ...)`` make 53 of them, so that the
    float32 numbers are the float64 ones rounded down to multiples of 2**-24.

    Parameters
    ----------
    shape : tuple (rows, units)
    seed : int in [0, 2**64)
    sweep, layer, row_offset : int in [0, 2**32), default=0
        Further coordinates; row_offset + rows is at most 2**32.
    dtype : float32 or float64, default=float64
    n_threads : int or None, default=None
        See :func:`effective_n_threads`. Does not change the numbers.

    Returns
    -------
    u : ndarray of shape (rows, units) and dtype `dtype`

    Raises
    ------
    TypeError
        If `dtype` is neither float32 nor float64, or a coordinate is no integer.
    ValueError
        If a coordinate is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import uniform
    >>> whole = uniform((5, 3), seed=7)
    >>> bool(np.all(whole[2:] == uniform((3, 3), seed=7, row_offset=2)))
    True
    """
    return _fill(uniform_loop, shape, seed, row_offset, sweep, layer, dtype, n_threads)


def standard_normal(
    shape, seed, *, sweep=0, layer=0, row_offset=0, dtype=np.float64, out=None, n_threads=None
):
    """Standard normal numbers, indexed by seed, row, unit, sweep and layer.

    By the transform of Box and Muller [1]_: units 4g and 4g + 1 of a row from words 0 and 1 of the
    row's counter g, units 4g + 2 and 4g + 3 from words 2 and 3. The counters are those of
    :func:`uniform`, so give a normal and a uniform draw different `layer` or `sweep`.

    Parameters
    ----------
    shape : tuple (rows, units)
    seed : int in [0, 2**64)
    sweep, layer, row_offset : int in [0, 2**32), default=0
        Further coordinates; row_offset + rows is at most 2**32.
    dtype : float32 or float64, default=float64
        The float32 numbers are those of float64 to about float32's precision.
    out : ndarray of that shape and dtype or None, default=None
        Where to write the numbers, C-contiguous.
    n_threads : int or None, default=None
        See :func:`effective_n_threads`. Does not change the numbers.

    Returns
    -------
    z : ndarray of shape (rows, units) and dtype `dtype`

    Raises
    ------
    TypeError
        If `dtype` is neither float32 nor float64, `out` is not an array of it, or a coordinate is
        no integer.
    ValueError
        If a coordinate is out of its range, or `out` has another shape or order.

    References
    ----------
    .. [1] G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates",
       Annals of Mathematical Statistics 29, 1958.

    Examples
    --------
    >>> from sklvm.kernels import standard_normal
    >>> z = standard_normal((1000, 50), seed=0)
    >>> print(f"{abs(z.mean()):.2f} {z.std():.2f}")
    0.00 1.00
    """
    return _fill(normal_loop, shape, seed, row_offset, sweep, layer, dtype, n_threads, out)


def check_random_index(rows, seed, row_offset, sweep, layer):
    """The coordinates of a random array as a tuple (seed, row_offset, sweep, layer) of ints."""
    index = (
        _check_below(seed, "seed", 2**64),
        _check_below(row_offset, "row_offset", 2**32),
        _check_below(sweep, "sweep", 2**32),
        _check_below(layer, "layer", 2**32),
    )
    if index[1] + rows > 2**32:
        raise ValueError(f"row_offset + rows must be at most 2**32, got {row_offset} + {rows}.")
    return index


def _fill(loop, shape, seed, row_offset, sweep, layer, dtype, n_threads, out=None):
    dtype = np.dtype(dtype)
    if dtype not in FLOATS:
        raise TypeError(f"dtype must be float32 or float64, got {dtype}.")
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(f"shape must be a tuple (rows, units), got {shape!r}.")
    rows = _check_below(shape[0], "rows in shape", 2**32)
    units = _check_below(shape[1], "units in shape", 2**32)
    index = check_random_index(rows, seed, row_offset, sweep, layer)
    out = np.empty((rows, units), dtype) if out is None else check_out(out, (rows, units), dtype)
    if not out.flags.c_contiguous:
        raise ValueError("out must be C-contiguous.")
    n_threads = threads_for(out.size, n_threads)
    if out.size:
        loop(out, index, n_threads)
    return out


def _check_below(value, name, bound):
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer in [0, {bound}), got {value!r}.")
    if not 0 <= value < bound:
        raise ValueError(f"{name} must be an integer in [0, {bound}), got {value!r}.")
    return int(value)


def _check_words(words, name, shape):
    words = np.asarray(words)
    if not np.issubdtype(words.dtype, np.integer):
        raise TypeError(f"{name} must hold integers in [0, 2**32), got dtype {words.dtype}.")
    if words.ndim != len(shape) or words.shape[-1] != shape[-1]:
        expected = str(shape).replace("None", "n")
        raise ValueError(f"{name} must have shape {expected}, got {words.shape}.")
    if words.size and (words.min() < 0 or words.max() >= 2**32):
        raise ValueError(
            f"{name} must hold integers in [0, 2**32), got {words.min()} to {words.max()}."
        )
    return np.ascontiguousarray(words, dtype=np.uint32)
