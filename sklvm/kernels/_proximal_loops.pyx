"""Proximal maps of arrays, and proximal gradient steps of codes, rows shared among threads."""

from cython.parallel cimport prange

cdef extern from "prox.h" nogil:
    double prox_power(double x, double t, double q, int positive) noexcept
    double power_penalty(double z, double q) noexcept

cdef extern from "proximal_step.h" nogil:
    ctypedef struct code_penalty:
        Py_ssize_t n_atoms
        const double *bound
        double q
        int positive
        double lipschitz
    double proximal_step(const code_penalty *p, const double *c, double squared_norm, double *z,
                         double *last, double *product, double *last_product, double *momentum,
                         double *objective, double *g, double tol) noexcept


def proximal_map_loop(const double[:, ::1] X, const double[::1] thresholds, double q,
                      bint positive, double[:, ::1] out, int n_threads):
    cdef Py_ssize_t i, k
    for i in prange(X.shape[0], num_threads=n_threads, schedule="static", nogil=True):
        for k in range(X.shape[1]):
            out[i, k] = prox_power(X[i, k], thresholds[k], q, positive)


def penalty_loop(const double[:, ::1] Z, const double[::1] bound, double q, double[::1] out,
                 int n_threads):
    cdef Py_ssize_t i, k
    cdef double total
    for i in prange(Z.shape[0], num_threads=n_threads, schedule="static", nogil=True):
        total = 0
        for k in range(Z.shape[1]):
            total = total + bound[k] * power_penalty(Z[i, k], q)
        out[i] = total


def proximal_step_loop(
    const double[:, ::1] C, const double[::1] squared_norms, double[:, ::1] Z,
    double[:, ::1] last, double[:, ::1] products, double[:, ::1] last_products,
    double[::1] momenta, double[::1] objectives, double[::1] certificates, double[:, ::1] room,
    const double[::1] bound, double q, bint positive, double lipschitz, double tol, int n_threads,
):
    """Certifies the rows of Z, and puts their next codes to `last`; `room` is of C's shape."""
    cdef code_penalty p
    cdef Py_ssize_t i
    p.n_atoms, p.bound, p.q = C.shape[1], &bound[0], q
    p.positive, p.lipschitz = positive, lipschitz
    for i in prange(C.shape[0], num_threads=n_threads, schedule="static", nogil=True):
        certificates[i] = proximal_step(
            &p, &C[i, 0], squared_norms[i], &Z[i, 0], &last[i, 0], &products[i, 0],
            &last_products[i, 0], &momenta[i], &objectives[i], &room[i, 0], tol)
