"""Max pooling of maps in three dimensions, with switches that say where each maximum was."""

import numpy as np

__all__ = ["middle_switches", "pool", "pool_at", "pooled_shape", "unpool"]


def pooled_shape(shape, size):
    """Of maps of (rows, columns, maps) after pools of `size` along each axis."""
    return tuple(n // s for n, s in zip(shape, size, strict=True))


def pool(maps, size):
    """The entry of greatest magnitude in each block, with its sign, and where it is in the block.

    Parameters
    ----------
    maps : ndarray of shape (n, rows, columns, n_maps)
    size : tuple of int
        Of a block along rows, columns and maps, which it divides.

    Returns
    -------
    pooled : ndarray of shape (n, rows // size[0], columns // size[1], n_maps // size[2])
    switches : ndarray of int, of that shape
        Among the entries of a block in lexicographic order; the first of equal ones.
    """
    blocks = _blocks(maps, size)
    switches = np.abs(blocks).argmax(axis=-1)
    return np.take_along_axis(blocks, switches[..., np.newaxis], axis=-1)[..., 0], switches


def pool_at(maps, switches, size):
    """The entries at given switches: the adjoint of :func:`unpool`."""
    blocks = _blocks(maps, size)
    return np.take_along_axis(blocks, switches[..., np.newaxis], axis=-1)[..., 0]


def unpool(pooled, switches, size):
    """Maps with the pooled values where the switches say, and zero elsewhere.

    Parameters
    ----------
    pooled : ndarray of shape (n, rows, columns, n_maps)
    switches : ndarray of int, of that shape
    size : tuple of int

    Returns
    -------
    maps : ndarray of shape (n, rows * size[0], columns * size[1], n_maps * size[2])
    """
    n, rows, columns, n_maps = pooled.shape
    if size == (1, 1, 1):
        return pooled
    blocks = np.zeros((*pooled.shape, size[0] * size[1] * size[2]))
    np.put_along_axis(blocks, switches[..., np.newaxis], pooled[..., np.newaxis], axis=-1)
    blocks = blocks.reshape(n, rows, columns, n_maps, *size).transpose(0, 1, 4, 2, 5, 3, 6)
    return blocks.reshape(n, rows * size[0], columns * size[1], n_maps * size[2])


def middle_switches(shape, size):
    """Switches at the middle of each block, for pools of which nothing is known."""
    middle = np.ravel_multi_index(tuple((s - 1) // 2 for s in size), size)
    return np.full(shape, middle, dtype=np.int64)


def _blocks(maps, size):
    """Of shape (n, rows, columns, maps, entries of a block)."""
    if size == (1, 1, 1):
        return maps[..., np.newaxis]
    n, *shape = maps.shape
    rows, columns, n_maps = pooled_shape(shape, size)
    blocks = maps.reshape(n, rows, size[0], columns, size[1], n_maps, size[2])
    return blocks.transpose(0, 1, 3, 5, 2, 4, 6).reshape(n, rows, columns, n_maps, -1)
