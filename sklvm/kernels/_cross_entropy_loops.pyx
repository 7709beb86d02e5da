"""Cross-entropies of rows, shared among threads."""

from cython cimport floating
from cython.parallel cimport prange

cdef extern from "cross_entropy.h" nogil:
    double cross_entropy_row_f32(const float *u, const float *x, float *residual,
                                 Py_ssize_t n) noexcept
    double cross_entropy_row_f64(const double *u, const double *x, double *residual,
                                 Py_ssize_t n) noexcept


def cross_entropy_loop(const floating[:, ::1] log_odds, const floating[:, ::1] x,
                       floating[::1] values, floating[:, ::1] residual, int n_threads):
    cdef Py_ssize_t n = x.shape[1]
    cdef Py_ssize_t row
    cdef bint has_residual = residual is not None
    for row in prange(x.shape[0], num_threads=n_threads, schedule="static", nogil=True):
        if floating is float:
            values[row] = <float>cross_entropy_row_f32(
                &log_odds[row, 0], &x[row, 0], &residual[row, 0] if has_residual else NULL, n)
        else:
            values[row] = cross_entropy_row_f64(
                &log_odds[row, 0], &x[row, 0], &residual[row, 0] if has_residual else NULL, n)
