"""Sweeps over coupled binary units, some rows at a time, shared among threads."""

from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t, uint8_t

cdef extern from "sites.h" nogil:
    enum: SITE_ROWS
    enum: SITE_LANES_F32
    enum: SITE_LANES_F64
    ctypedef struct site_graph:
        Py_ssize_t n_sites
        const int32_t *sites
        const int64_t *starts
        const int32_t *neighbours
    void visit_sites_f32(
        Py_ssize_t n, Py_ssize_t d, const float *J, const float *bias, Py_ssize_t bias_stride,
        float scale, float low, const float *uniforms, const uint8_t *free_units,
        Py_ssize_t free_stride, float *x, float *u, int64_t *n_changes) noexcept
    void visit_sites_f64(
        Py_ssize_t n, Py_ssize_t d, const double *J, const double *bias, Py_ssize_t bias_stride,
        double scale, double low, const double *uniforms, const uint8_t *free_units,
        Py_ssize_t free_stride, double *x, double *u, int64_t *n_changes) noexcept
    void visit_sparse_sites_f32(
        const site_graph *g, const float *weights, const float *bias, Py_ssize_t bias_stride,
        float scale, const float *uniforms, const uint8_t *free_units, Py_ssize_t free_stride,
        Py_ssize_t n, Py_ssize_t lanes, float *work, float *states) noexcept
    void visit_sparse_sites_f64(
        const site_graph *g, const double *weights, const double *bias, Py_ssize_t bias_stride,
        double scale, const double *uniforms, const uint8_t *free_units, Py_ssize_t free_stride,
        Py_ssize_t n, Py_ssize_t lanes, double *work, double *states) noexcept
    void pair_matrix_f32(const float *values, Py_ssize_t d, float *J) noexcept
    void pair_matrix_f64(const double *values, Py_ssize_t d, double *J) noexcept

MAX_LANES = SITE_LANES_F32


def site_loop(const floating[:, ::1] couplings, const floating[:, ::1] bias, floating scale,
              floating low, const floating[:, ::1] uniforms, const uint8_t[:, ::1] free_units,
              floating[:, ::1] states, floating[:, ::1] inputs, int64_t[::1] n_changes,
              Py_ssize_t max_sweeps, int n_threads):
    """Sweeps of each row until none of its units changes; `bias` and `free_units` have one row or
    one for each, and `free_units` and `uniforms` may be None."""
    cdef Py_ssize_t n = states.shape[0], d = states.shape[1], chunk, first, _sweep, i
    cdef Py_ssize_t bias_stride = d if bias.shape[0] > 1 else 0, free_stride = 0
    cdef int64_t total
    cdef const uint8_t *mask = NULL
    cdef const floating *draws = NULL
    if free_units is not None:
        mask = &free_units[0, 0]
        free_stride = d if free_units.shape[0] > 1 else 0
    if uniforms is not None:
        draws = &uniforms[0, 0]
    for chunk in prange((n + SITE_ROWS - 1) // SITE_ROWS, num_threads=n_threads,
                        schedule="static", nogil=True):
        first = chunk * SITE_ROWS
        for _sweep in range(max_sweeps):
            if floating is float:
                visit_sites_f32(
                    min(SITE_ROWS, n - first), d, &couplings[0, 0],
                    &bias[0, 0] + first * bias_stride, bias_stride, scale, low,
                    NULL if draws == NULL else draws + first * d,
                    NULL if mask == NULL else mask + first * free_stride, free_stride,
                    &states[first, 0], &inputs[first, 0], &n_changes[first])
            else:
                visit_sites_f64(
                    min(SITE_ROWS, n - first), d, &couplings[0, 0],
                    &bias[0, 0] + first * bias_stride, bias_stride, scale, low,
                    NULL if draws == NULL else draws + first * d,
                    NULL if mask == NULL else mask + first * free_stride, free_stride,
                    &states[first, 0], &inputs[first, 0], &n_changes[first])
            total = 0
            for i in range(first, min(first + SITE_ROWS, n)):
                total = total + n_changes[i]
            if total == 0:
                break


def pair_matrix_loop(const floating[::1] values, floating[:, ::1] matrix):
    if floating is float:
        pair_matrix_f32(&values[0], matrix.shape[0], &matrix[0, 0])
    else:
        pair_matrix_f64(&values[0], matrix.shape[0], &matrix[0, 0])


def sparse_site_loop(const int32_t[::1] sites, const int64_t[::1] starts,
                     const int32_t[::1] neighbours, const floating[::1] weights,
                     const floating[:, ::1] bias, floating scale,
                     const floating[:, ::1] uniforms, const uint8_t[:, ::1] free_units,
                     floating[:, ::1] work, floating[:, ::1] states, int n_threads):
    """One sweep; a row of `work` for each thread. The other arrays are as above."""
    cdef Py_ssize_t n = states.shape[0], d = states.shape[1], chunk, first
    cdef Py_ssize_t bias_stride = d if bias.shape[0] > 1 else 0, free_stride = 0
    cdef Py_ssize_t lanes = SITE_LANES_F32 if floating is float else SITE_LANES_F64
    cdef const uint8_t *mask = NULL
    cdef const floating *w = NULL
    cdef site_graph g
    g.n_sites, g.sites, g.starts = d, &sites[0], &starts[0]
    # A graph may be without edges.
    g.neighbours = NULL
    if neighbours.shape[0] > 0:
        g.neighbours, w = &neighbours[0], &weights[0]
    if free_units is not None:
        mask = &free_units[0, 0]
        free_stride = d if free_units.shape[0] > 1 else 0
    for chunk in prange((n + lanes - 1) // lanes, num_threads=n_threads,
                        schedule="static", nogil=True):
        first = chunk * lanes
        if floating is float:
            visit_sparse_sites_f32(
                &g, w, &bias[0, 0] + first * bias_stride, bias_stride, scale, &uniforms[first, 0],
                NULL if mask == NULL else mask + first * free_stride, free_stride,
                min(lanes, n - first), lanes, &work[threadid(), 0], &states[first, 0])
        else:
            visit_sparse_sites_f64(
                &g, w, &bias[0, 0] + first * bias_stride, bias_stride, scale, &uniforms[first, 0],
                NULL if mask == NULL else mask + first * free_stride, free_stride,
                min(lanes, n - first), lanes, &work[threadid(), 0], &states[first, 0])
