"""Sweeps of Ising lattices, rows shared among threads."""

from cython.parallel cimport prange
from libc.stdint cimport uint8_t

cdef extern from "lattice.h" nogil:
    void draw_lattice_row(const float *uniforms, const uint8_t *above, const uint8_t *below,
                          uint8_t *x, Py_ssize_t width, int parity, int n_vertical,
                          const float *thresholds) noexcept


def lattice_loop(const float[:, ::1] uniforms, uint8_t[:, :, ::1] x, const uint8_t[::1] nothing,
                 const float[::1] thresholds, int n_threads):
    """One sweep of each lattice: first the sites whose row and column add up to an even number."""
    cdef Py_ssize_t height = x.shape[1], width = x.shape[2], colour, i, lattice, row
    for colour in range(2):
        for i in prange(x.shape[0] * height, num_threads=n_threads, schedule="static", nogil=True):
            lattice = i // height
            row = i % height
            draw_lattice_row(
                &uniforms[i, 0],
                &x[lattice, row - 1, 0] if row > 0 else &nothing[0],
                &x[lattice, row + 1, 0] if row < height - 1 else &nothing[0],
                &x[lattice, row, 0], width, (row + colour) % 2,
                (1 if row > 0 else 0) + (1 if row < height - 1 else 0), &thresholds[0])
