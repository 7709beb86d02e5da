"""Products with matrices that are mostly zero, by lists of their nonzero entries.

The lists are those of the CSR format: `starts` (intp), `columns` (int32) and `values`.
"""

import numpy as np

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int32_t

cdef extern from "sparse_rows.h" nogil:
    enum: STRIP
    enum: LIST_SLACK
    Py_ssize_t count_nonzeros_f32(const float *row, Py_ssize_t n) noexcept
    Py_ssize_t count_nonzeros_f64(const double *row, Py_ssize_t n) noexcept
    void list_nonzeros_f32(const float *row, Py_ssize_t n, int32_t *columns,
                           float *values) noexcept
    void list_nonzeros_f64(const double *row, Py_ssize_t n, int32_t *columns,
                           double *values) noexcept
    void product_tile_f32(const Py_ssize_t *starts, const int32_t *columns, const float *values,
                          Py_ssize_t first_row, Py_ssize_t last_row, const float *B,
                          Py_ssize_t stride, Py_ssize_t first_column, Py_ssize_t last_column,
                          float *out) noexcept
    void product_tile_f64(const Py_ssize_t *starts, const int32_t *columns, const double *values,
                          Py_ssize_t first_row, Py_ssize_t last_row, const double *B,
                          Py_ssize_t stride, Py_ssize_t first_column, Py_ssize_t last_column,
                          double *out) noexcept

# The columns of B that are worked on together stay in the second-level cache, in this many bytes.
cdef Py_ssize_t CACHE_BYTES = 2**18
cdef Py_ssize_t ROWS_A_TILE = 32


def count_nonzeros(const floating[:, ::1] A):
    """Places where the rows' nonzeros start, shape (n + 1,); the last is their number."""
    starts = np.zeros(A.shape[0] + 1, dtype=np.intp)
    cdef Py_ssize_t[::1] s = starts
    cdef Py_ssize_t i
    for i in range(A.shape[0]):
        if floating is float:
            s[i + 1] = s[i] + count_nonzeros_f32(&A[i, 0], A.shape[1])
        else:
            s[i + 1] = s[i] + count_nonzeros_f64(&A[i, 0], A.shape[1])
    return starts


def list_nonzeros(const floating[:, ::1] A, const Py_ssize_t[::1] starts):
    """Columns and values of the nonzeros, row by row, with entries at the end that are not used."""
    n_entries = starts[A.shape[0]] + LIST_SLACK
    columns = np.empty(n_entries, dtype=np.int32)
    values = np.empty(n_entries, dtype=np.float32 if floating is float else np.float64)
    cdef int32_t[::1] c = columns
    cdef floating[::1] v = values
    cdef Py_ssize_t i
    for i in range(A.shape[0]):
        if floating is float:
            list_nonzeros_f32(&A[i, 0], A.shape[1], &c[starts[i]], &v[starts[i]])
        else:
            list_nonzeros_f64(&A[i, 0], A.shape[1], &c[starts[i]], &v[starts[i]])
    return columns, values


def transpose_lists(const Py_ssize_t[::1] starts, const int32_t[::1] columns,
                    const floating[::1] values, Py_ssize_t n_columns):
    """The lists of the transposed matrix, rows in increasing order."""
    cdef Py_ssize_t n_rows = starts.shape[0] - 1
    new_starts = np.zeros(n_columns + 2, dtype=np.intp)
    rows = np.empty(starts[n_rows], dtype=np.int32)
    new_values = np.empty(starts[n_rows], dtype=np.float32 if floating is float else np.float64)
    # s[j + 1] is where column j's next entry goes; in the end it is where column j + 1 starts.
    cdef Py_ssize_t[::1] s = new_starts
    cdef int32_t[::1] r = rows
    cdef floating[::1] v = new_values
    cdef Py_ssize_t i, j, e
    for e in range(starts[n_rows]):
        s[columns[e] + 2] += 1
    for j in range(n_columns):
        s[j + 2] += s[j + 1]
    for i in range(n_rows):
        for e in range(starts[i], starts[i + 1]):
            j = columns[e] + 1
            r[s[j]] = <int32_t>i
            v[s[j]] = values[e]
            s[j] += 1
    return new_starts[:n_columns + 1], rows, new_values


def product_loop(const Py_ssize_t[::1] starts, const int32_t[::1] columns,
                 const floating[::1] values, const floating[:, ::1] B, floating[:, ::1] out,
                 int n_threads):
    cdef Py_ssize_t n_rows = out.shape[0], n_columns = out.shape[1]
    cdef Py_ssize_t width = CACHE_BYTES // (sizeof(floating) * B.shape[0]) // STRIP * STRIP
    width = max(width, <Py_ssize_t>STRIP)
    # What is left of the columns goes to the last tile across, which then has room to overlap.
    cdef Py_ssize_t tiles_across = max(n_columns // width, <Py_ssize_t>1)
    cdef Py_ssize_t tiles_down = (n_rows + ROWS_A_TILE - 1) // ROWS_A_TILE
    cdef Py_ssize_t tile, across, i, c, end
    for tile in prange(tiles_across * tiles_down, num_threads=n_threads, schedule="static",
                       nogil=True):
        across = tile // tiles_down
        i = tile % tiles_down * ROWS_A_TILE
        c = across * width
        end = n_columns if across == tiles_across - 1 else c + width
        if floating is float:
            product_tile_f32(&starts[0], &columns[0], &values[0], i, min(i + ROWS_A_TILE, n_rows),
                             &B[0, 0], n_columns, c, end, &out[0, 0])
        else:
            product_tile_f64(&starts[0], &columns[0], &values[0], i, min(i + ROWS_A_TILE, n_rows),
                             &B[0, 0], n_columns, c, end, &out[0, 0])
