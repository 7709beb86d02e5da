"""Sweeps over the sites of pairwise energies, colour by colour, sites shared among threads."""

from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t, uint8_t

cdef extern from "pairwise.h" nogil:
    enum: PAIRWISE_MAX_LABELS
    ctypedef struct pairwise_model:
        Py_ssize_t n_labels
        const double *unary
        const int64_t *starts
        const int32_t *neighbours
        const int32_t *matrices
        const double *weights
        const double *tables
    int64_t icm_sites(const pairwise_model *g, const int32_t *sites, Py_ssize_t n, int32_t *labels,
                      uint8_t *dirty) noexcept
    void gibbs_sites(const pairwise_model *g, const int32_t *sites, Py_ssize_t n, double beta,
                     const double *uniforms, const uint8_t *free_sites, int32_t *labels,
                     double *sums) noexcept
    int64_t mean_field_sites(const pairwise_model *g, const int32_t *sites, Py_ssize_t n,
                             double tol, double *q, uint8_t *dirty) noexcept
    int64_t belief_sites(const pairwise_model *g, const int32_t *sites, Py_ssize_t n,
                         const double *rho, const int32_t *reverse, const double *factors,
                         const int32_t *factor_of, double damping, double tol, double *messages,
                         uint8_t *dirty) noexcept
    void greedy_colours(const int64_t *starts, const int32_t *neighbours, Py_ssize_t n,
                        int64_t *last_used, int32_t *colours) noexcept

MAX_LABELS = PAIRWISE_MAX_LABELS

cdef enum:
    SITES = 1024  # of one colour: a thread's piece of work


cdef class Sweeps:
    """A pairwise energy in compiled form; keeps its arrays alive."""

    cdef pairwise_model g
    cdef const double[:, ::1] unary
    cdef const int64_t[::1] starts
    cdef const int32_t[::1] neighbours, matrices
    cdef const double[::1] weights
    cdef const double[:, :, ::1] tables
    cdef const int32_t[::1] sites
    cdef const int64_t[::1] colour_starts
    cdef int n_threads

    def __init__(self, const double[:, ::1] unary, const int64_t[::1] starts,
                 const int32_t[::1] neighbours, const int32_t[::1] matrices,
                 const double[::1] weights, const double[:, :, ::1] tables,
                 const int32_t[::1] sites, const int64_t[::1] colour_starts, int n_threads):
        self.unary, self.starts, self.neighbours = unary, starts, neighbours
        self.matrices, self.weights, self.tables = matrices, weights, tables
        self.sites, self.colour_starts = sites, colour_starts
        self.n_threads = n_threads
        self.g.n_labels = unary.shape[1]
        self.g.unary, self.g.starts = &unary[0, 0], &starts[0]
        # A graph may be without edges.
        if neighbours.shape[0] > 0:
            self.g.neighbours, self.g.matrices = &neighbours[0], &matrices[0]
            self.g.weights, self.g.tables = &weights[0], &tables[0, 0, 0]

    def iterated_conditional_modes(self, int32_t[::1] labels, uint8_t[::1] dirty):
        """One sweep; how many labels have changed."""
        cdef int64_t n_changes = 0
        cdef Py_ssize_t colour, first, last, chunk
        for colour in range(self.colour_starts.shape[0] - 1):
            first, last = self.colour_starts[colour], self.colour_starts[colour + 1]
            for chunk in prange((last - first + SITES - 1) // SITES, num_threads=self.n_threads,
                                schedule="static", nogil=True):
                n_changes += icm_sites(
                    &self.g, &self.sites[first + chunk * SITES],
                    min(SITES, last - first - chunk * SITES), &labels[0], &dirty[0])
        return n_changes

    def gibbs(self, double beta, const double[::1] uniforms, int32_t[::1] labels,
              double[:, ::1] sums):
        """One sweep; `sums` may be None."""
        cdef Py_ssize_t colour, first, last, chunk
        cdef double *summed = NULL if sums is None else &sums[0, 0]
        for colour in range(self.colour_starts.shape[0] - 1):
            first, last = self.colour_starts[colour], self.colour_starts[colour + 1]
            for chunk in prange((last - first + SITES - 1) // SITES, num_threads=self.n_threads,
                                schedule="static", nogil=True):
                gibbs_sites(
                    &self.g, &self.sites[first + chunk * SITES],
                    min(SITES, last - first - chunk * SITES), beta, &uniforms[0], NULL, &labels[0],
                    summed)

    def gibbs_chains(self, const double[:, ::1] uniforms, int32_t[:, ::1] labels,
                     const uint8_t[:, ::1] free_sites):
        """One sweep of each chain, a row of `labels`; `free_sites` may be None, or have one row."""
        cdef Py_ssize_t i, n_sites = self.sites.shape[0]
        cdef Py_ssize_t stride = 0
        cdef const uint8_t *mask = NULL
        if free_sites is not None:
            mask = &free_sites[0, 0]
            stride = n_sites if free_sites.shape[0] > 1 else 0
        for i in prange(labels.shape[0], num_threads=self.n_threads, schedule="static",
                        nogil=True):
            gibbs_sites(&self.g, &self.sites[0], n_sites, 1.0, &uniforms[i, 0],
                        NULL if mask == NULL else mask + i * stride, &labels[i, 0], NULL)

    def mean_field(self, double tol, double[:, ::1] q, uint8_t[::1] dirty):
        """One sweep; how many sites have changed."""
        cdef int64_t n_changes = 0
        cdef Py_ssize_t colour, first, last, chunk
        for colour in range(self.colour_starts.shape[0] - 1):
            first, last = self.colour_starts[colour], self.colour_starts[colour + 1]
            for chunk in prange((last - first + SITES - 1) // SITES, num_threads=self.n_threads,
                                schedule="static", nogil=True):
                n_changes += mean_field_sites(
                    &self.g, &self.sites[first + chunk * SITES],
                    min(SITES, last - first - chunk * SITES), tol, &q[0, 0], &dirty[0])
        return n_changes

    def beliefs(self, const double[::1] rho, const int32_t[::1] reverse,
                const double[:, :, ::1] factors, const int32_t[::1] factor_of, double damping,
                double tol, double[:, ::1] messages, uint8_t[::1] dirty):
        """One sweep of messages, of sums, or of maxima where `factors` is None; how many sites have
        sent something new."""
        cdef int64_t n_changes = 0
        cdef Py_ssize_t colour, first, last, chunk
        cdef const double *matrices = NULL if factors is None else &factors[0, 0, 0]
        for colour in range(self.colour_starts.shape[0] - 1):
            first, last = self.colour_starts[colour], self.colour_starts[colour + 1]
            for chunk in prange((last - first + SITES - 1) // SITES, num_threads=self.n_threads,
                                schedule="static", nogil=True):
                n_changes += belief_sites(
                    &self.g, &self.sites[first + chunk * SITES],
                    min(SITES, last - first - chunk * SITES), &rho[0], &reverse[0], matrices,
                    &factor_of[0], damping, tol, &messages[0, 0], &dirty[0])
        return n_changes


def colour_loop(const int64_t[::1] starts, const int32_t[::1] neighbours, int64_t[::1] last_used,
                int32_t[::1] colours):
    if neighbours.shape[0] > 0:
        greedy_colours(&starts[0], &neighbours[0], colours.shape[0], &last_used[0], &colours[0])
