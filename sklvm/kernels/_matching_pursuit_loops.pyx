"""Orthogonal matching pursuit on the Gram matrix, row by row, rows shared among threads.

Each step adds the atom of largest cosine to the residual and refits the coefficients by a Cholesky
factor (Rubinstein, Zibulevsky and Elad, 2008). The path ends at a size, at a residual, or where a
penalty says that no longer code can be better; then the best code of the path is returned.
"""

from cython.parallel cimport parallel, prange, threadid
from libc.math cimport INFINITY, fabs, sqrt

cdef extern from "gram_rows.h" nogil:
    void residual_correlations(const double *c, const double *gram, Py_ssize_t n,
                               const Py_ssize_t *support, const double *a, Py_ssize_t size,
                               double *g) noexcept

cdef extern from "cholesky.h" nogil:
    double DEPENDENT
    double cholesky_append(double *factor, const double *gram, Py_ssize_t n_atoms,
                           const Py_ssize_t *support, Py_ssize_t size) noexcept
    void cholesky_forward(const double *factor, double *x, Py_ssize_t size) noexcept
    void cholesky_backward(const double *factor, double *x, Py_ssize_t size) noexcept

cdef extern from "prox.h" nogil:
    double power_penalty(double z, double q) noexcept

# Correlations and residuals below this, relative to those of the data, are rounding.
cdef double ROUNDING = 1e-12
# Steps of a path without a better code, after which a penalty with 0 < q ends it.
cdef enum: PATIENCE = 10

cdef struct problem:
    Py_ssize_t n_atoms, most
    const double *gram
    const double *inverse_norms  # of the atoms, 0 for a zero atom
    const double *bound          # of the penalty; NULL: none, the end of the path is returned
    double smallest_bound, q, squared_residual
    bint positive


def matching_pursuit_loop(
    const double[:, ::1] gram, const double[::1] inverse_norms, const double[::1] bound, double q,
    bint positive, double squared_residual, const double[:, ::1] C,
    const double[::1] squared_norms, double[:, ::1] Z, double[::1] certificates,
    double[::1] objectives, int[::1] n_steps, double[:, ::1] factors, double[:, ::1] doubles,
    Py_ssize_t[:, ::1] supports, int n_threads,
):
    """Codes of the rows of C to Z, which holds zeros; `bound` may be None. A support has at most
    as many atoms as `supports` has columns."""
    cdef problem p
    cdef Py_ssize_t i, k
    cdef int t = 0
    p.n_atoms, p.most, p.gram = C.shape[1], supports.shape[1], &gram[0, 0]
    p.inverse_norms, p.q, p.positive = &inverse_norms[0], q, positive
    p.squared_residual, p.bound, p.smallest_bound = squared_residual, NULL, 0
    if bound is not None:
        p.bound, p.smallest_bound = &bound[0], INFINITY
        for k in range(p.n_atoms):
            p.smallest_bound = min(p.smallest_bound, bound[k])
    with nogil, parallel(num_threads=n_threads):
        t = threadid()
        for i in prange(C.shape[0], schedule="dynamic"):
            pursue(&p, &C[i, 0], squared_norms[i], &Z[i, 0], &certificates[i], &objectives[i],
                   &n_steps[i], &factors[t, 0], &doubles[t, 0], &supports[t, 0])


cdef void pursue(
    const problem *p, const double *c, double squared_norm, double *z, double *certificate,
    double *objective, int *n_steps, double *factor, double *doubles, Py_ssize_t *support,
) noexcept nogil:
    cdef double *a = doubles
    cdef double *best = doubles + p.most
    cdef double *g = doubles + 2 * p.most
    cdef Py_ssize_t j, k, size = 0, best_size = 0, waited = 0
    cdef double r2 = squared_norm, value, scale
    objective[0] = 0.5 * squared_norm
    residual_correlations(c, p.gram, p.n_atoms, support, a, 0, g)
    scale = fabs(g[most_similar(p, g, &value)]) if p.n_atoms else 0
    while size < p.most and r2 > max(p.squared_residual, ROUNDING * squared_norm):
        k = most_similar(p, g, &value)
        if not value > ROUNDING * sqrt(squared_norm):
            break
        support[size] = k
        if not (cholesky_append(factor, p.gram, p.n_atoms, support, size)
                > DEPENDENT * p.gram[k * p.n_atoms + k]):
            break
        size += 1
        for j in range(size):
            a[j] = c[support[j]]
        cholesky_forward(factor, a, size)
        cholesky_backward(factor, a, size)
        if p.positive and smallest(a, size) <= 0:
            size -= 1
            break
        residual_correlations(c, p.gram, p.n_atoms, support, a, size, g)
        r2 = squared_norm
        for j in range(size):
            r2 -= (c[support[j]] + g[support[j]]) * a[j]
        value = 0.5 * max(r2, 0)
        if p.bound != NULL:
            for j in range(size):
                value += p.bound[support[j]] * power_penalty(a[j], p.q)
        waited += 1
        if p.bound == NULL or value < objective[0]:
            objective[0], best_size, waited = value, size, 0
            for j in range(size):
                best[j] = a[j]
        if p.bound != NULL:
            if p.q == 0 and objective[0] <= p.smallest_bound * (size + 1):
                break
            if p.q > 0 and waited == PATIENCE:
                break
    for j in range(best_size):
        z[support[j]] = best[j]
    n_steps[0] = size
    residual_correlations(c, p.gram, p.n_atoms, support, best, best_size, g)
    certificate[0] = 0
    for j in range(best_size):
        certificate[0] = max(certificate[0], fabs(g[support[j]]) / scale)


cdef inline Py_ssize_t most_similar(const problem *p, const double *g,
                                    double *value) noexcept nogil:
    cdef Py_ssize_t k, found = 0
    cdef double size
    value[0] = 0
    for k in range(p.n_atoms):
        size = (g[k] if p.positive else fabs(g[k])) * p.inverse_norms[k]
        if size > value[0]:
            value[0], found = size, k
    return found


cdef inline double smallest(const double *a, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t j
    cdef double least = INFINITY
    for j in range(size):
        least = min(least, a[j])
    return least
