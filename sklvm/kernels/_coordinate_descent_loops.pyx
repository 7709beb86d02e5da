"""Sparse codes by coordinate descent on the Gram matrix, row by row, rows shared among threads.

Each coordinate in turn goes to its exact minimum, z_k = prox(z_k + g_k / G_kk), so that the
objective never increases, convex or not. Epochs over all atoms alternate with epochs over the
support.
"""

from cython.parallel cimport parallel, prange, threadid
from libc.math cimport fabs

cdef extern from "gram_rows.h" nogil:
    void subtract_row(double *g, const double *row, double factor, Py_ssize_t n) noexcept

cdef extern from "prox.h" nogil:
    double prox_power(double x, double t, double q, int positive) noexcept

cdef extern from "code_row.h" nogil:
    ctypedef struct code_penalty:
        Py_ssize_t n_atoms
        const double *bound
        double q
        int positive
        double lipschitz
    double certify_code(const code_penalty *p, const double *c, const double *g, const double *z,
                        double squared_norm, double *objective) noexcept

# Epochs over the support between two over all atoms.
cdef enum: SUPPORT_EPOCHS = 10


def coordinate_descent_loop(
    const double[:, ::1] gram, const double[::1] bound, double q, bint positive, double lipschitz,
    const double[:, ::1] C, const double[::1] squared_norms, double[:, ::1] Z,
    double[::1] certificates, double[::1] objectives, int[::1] n_epochs, double tol,
    Py_ssize_t max_epochs, double[:, ::1] correlations, Py_ssize_t[:, ::1] supports,
    int n_threads,
):
    """Codes of the rows of C to Z, from the codes that Z holds; `correlations` and `supports` are
    room for each thread to work in."""
    cdef code_penalty p
    cdef Py_ssize_t i
    cdef int t = 0
    p.n_atoms, p.bound, p.q = C.shape[1], &bound[0], q
    p.positive, p.lipschitz = positive, lipschitz
    with nogil, parallel(num_threads=n_threads):
        t = threadid()
        for i in prange(C.shape[0], schedule="dynamic"):
            descend(&p, &gram[0, 0], &C[i, 0], squared_norms[i], &Z[i, 0], &certificates[i],
                    &objectives[i], &n_epochs[i], tol, max_epochs, &correlations[t, 0],
                    &supports[t, 0])


cdef void descend(
    const code_penalty *p, const double *gram, const double *c, double squared_norm, double *z,
    double *certificate, double *objective, int *n_epochs, double tol, Py_ssize_t max_epochs,
    double *g, Py_ssize_t *support,
) noexcept nogil:
    cdef Py_ssize_t k, j, size, _epoch
    cdef double largest
    for k in range(p.n_atoms):
        g[k] = c[k]
    for k in range(p.n_atoms):
        if p.positive and z[k] < 0:
            z[k] = 0
        if z[k] != 0:
            subtract_row(g, gram + k * p.n_atoms, z[k], p.n_atoms)
    n_epochs[0] = 0
    while True:
        certificate[0] = certify_code(p, c, g, z, squared_norm, objective)
        if certificate[0] <= tol or n_epochs[0] >= max_epochs:
            break
        largest = 0
        size = 0
        for k in range(p.n_atoms):
            largest = max(largest, minimise_coordinate(p, gram, g, z, k))
            if z[k] != 0:
                support[size] = k
                size += 1
        n_epochs[0] += 1
        for _epoch in range(SUPPORT_EPOCHS):
            if n_epochs[0] >= max_epochs or largest == 0:
                break
            largest = 0
            for j in range(size):
                largest = max(largest, minimise_coordinate(p, gram, g, z, support[j]))
            n_epochs[0] += 1


cdef inline double minimise_coordinate(const code_penalty *p, const double *gram, double *g,
                                       double *z, Py_ssize_t k) noexcept nogil:
    """How far the coordinate moved."""
    cdef const double *row = gram + k * p.n_atoms
    cdef double curvature = row[k], to, change
    if not curvature > 0:
        z[k] = 0
        return 0
    to = prox_power(z[k] + g[k] / curvature, p.bound[k] / curvature, p.q, p.positive)
    change = to - z[k]
    if change != 0:
        z[k] = to
        subtract_row(g, row, change, p.n_atoms)
    return fabs(change)
