"""Products of pairs of columns, row by row, the rows shared among threads."""

from cython cimport floating
from cython.parallel cimport prange

cdef extern from "pairs.h" nogil:
    void pair_row_f32(const float *x, Py_ssize_t width, float *products) noexcept
    void pair_row_f64(const double *x, Py_ssize_t width, double *products) noexcept
    void pair_row_vjp_f32(const float *x, Py_ssize_t width, const float *products_bar,
                          float *x_bar) noexcept
    void pair_row_vjp_f64(const double *x, Py_ssize_t width, const double *products_bar,
                          double *x_bar) noexcept


def pair_loop(const floating[:, ::1] X, floating[:, ::1] products, int n_threads):
    cdef Py_ssize_t i
    for i in prange(X.shape[0], num_threads=n_threads, schedule="static", nogil=True):
        if floating is float:
            pair_row_f32(&X[i, 0], X.shape[1], &products[i, 0])
        else:
            pair_row_f64(&X[i, 0], X.shape[1], &products[i, 0])


def pair_vjp_loop(const floating[:, ::1] X, const floating[:, ::1] products_bar,
                  floating[:, ::1] X_bar, int n_threads):
    cdef Py_ssize_t i
    for i in prange(X.shape[0], num_threads=n_threads, schedule="static", nogil=True):
        if floating is float:
            pair_row_vjp_f32(&X[i, 0], X.shape[1], &products_bar[i, 0], &X_bar[i, 0])
        else:
            pair_row_vjp_f64(&X[i, 0], X.shape[1], &products_bar[i, 0], &X_bar[i, 0])
