"""Passes over documents, rows of a sparse table of word counts."""

from cython.parallel cimport parallel, prange, threadid
from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport free, malloc

ctypedef fused real:
    float
    double

cdef extern from "left_to_right.h" nogil:
    ctypedef struct uniform_stream:
        pass
    void left_to_right(
        const int32_t *words, const double *fractions, Py_ssize_t n, const double *table,
        Py_ssize_t n_topics, const double *prior, double prior_sum, Py_ssize_t n_particles,
        Py_ssize_t n_moved,
        uint64_t seed, double *p, int32_t *topics, double *room, uniform_stream *stream) noexcept

cdef extern from "topic_passes.h" nogil:
    int expect_topics_f32(
        const int32_t *words, const float *word_counts, Py_ssize_t n, const float *table,
        Py_ssize_t n_topics, const float *prior, int digamma, int max_iter, double tol,
        float weight, float *counts, float *shares, float *sums, float *p,
        float *statistics) noexcept
    int expect_topics_f64(
        const int32_t *words, const double *word_counts, Py_ssize_t n, const double *table,
        Py_ssize_t n_topics, const double *prior, int digamma, int max_iter, double tol,
        double weight, double *counts, double *shares, double *sums, double *p,
        double *statistics) noexcept
    void collapse_document_f32(
        const int32_t *words, const float *word_counts, Py_ssize_t n, Py_ssize_t n_topics,
        const float *prior, float prior_sum, float beta, float beta_sum, float weight, float *gamma,
        float *counts, float *table, float *totals, float *room, float *p) noexcept
    void collapse_document_f64(
        const int32_t *words, const double *word_counts, Py_ssize_t n, Py_ssize_t n_topics,
        const double *prior, double prior_sum, double beta, double beta_sum, double weight,
        double *gamma,
        double *counts, double *table, double *totals, double *room, double *p) noexcept
    void add_assignments_f32(
        const int32_t *words, const float *word_counts, Py_ssize_t n, Py_ssize_t n_topics,
        const float *gamma, float weight, float *statistics) noexcept
    void add_assignments_f64(
        const int32_t *words, const double *word_counts, Py_ssize_t n, Py_ssize_t n_topics,
        const double *gamma, double weight, double *statistics) noexcept
    void sample_document_f32(
        const int32_t *words, const int32_t *word_counts, Py_ssize_t n, Py_ssize_t n_topics,
        const float *prior, float prior_sum, float beta, double beta_sum, float length,
        const float *uniforms, int32_t *topics, float *counts, float *table, double *totals,
        float *scale, float *weights, float *p) noexcept


def expect_topics_loop(
    const int32_t[::1] starts, const int32_t[::1] words, const real[::1] word_counts,
    const real[::1] weights, const real[:, ::1] table, const real[::1] prior, bint digamma,
    int max_iter, double tol, real[:, ::1] counts, real[:, ::1] shares, real[:, ::1] sums,
    real[::1] p,
    real[:, ::1] statistics, int[::1] n_iter, int n_threads,
):
    """`statistics` may be None; with it, n_threads has to be 1. `sums` has a row a thread."""
    cdef Py_ssize_t i, begin, n_topics = table.shape[1]
    cdef int t = 0
    cdef real *to = NULL
    if statistics is not None:
        to = &statistics[0, 0]
    if words.shape[0] == 0:
        return
    with nogil, parallel(num_threads=n_threads):
        t = threadid()
        for i in prange(starts.shape[0] - 1, schedule="dynamic"):
            begin = starts[i]
            if starts[i + 1] == begin:
                n_iter[i] = 0
            elif real is float:
                n_iter[i] = expect_topics_f32(
                    &words[begin], &word_counts[begin], starts[i + 1] - begin, &table[0, 0],
                    n_topics, &prior[0], digamma, max_iter, tol, weights[i], &counts[i, 0],
                    &shares[i, 0], &sums[t, 0], &p[begin], to)
            else:
                n_iter[i] = expect_topics_f64(
                    &words[begin], &word_counts[begin], starts[i + 1] - begin, &table[0, 0],
                    n_topics, &prior[0], digamma, max_iter, tol, weights[i], &counts[i, 0],
                    &shares[i, 0], &sums[t, 0], &p[begin], to)


def collapse_loop(
    const int32_t[::1] starts, const int32_t[::1] words, const real[::1] word_counts,
    const real[::1] weights, const real[::1] prior, real prior_sum, real beta, real beta_sum,
    real[:, ::1] gamma, real[:, ::1] counts, real[:, ::1] table, real[::1] totals, real[::1] room,
    real[::1] p,
    real[:, ::1] statistics,
):
    """`statistics` takes the sums of what gamma is afterwards."""
    cdef Py_ssize_t i, begin, n, n_topics = table.shape[1]
    with nogil:
        for i in range(starts.shape[0] - 1):
            begin, n = starts[i], starts[i + 1] - starts[i]
            if n == 0:
                continue
            if real is float:
                collapse_document_f32(
                    &words[begin], &word_counts[begin], n, n_topics, &prior[0], prior_sum, beta,
                    beta_sum, weights[i], &gamma[begin, 0], &counts[i, 0], &table[0, 0],
                    &totals[0], &room[0], &p[begin])
                add_assignments_f32(&words[begin], &word_counts[begin], n, n_topics,
                                    &gamma[begin, 0], weights[i], &statistics[0, 0])
            else:
                collapse_document_f64(
                    &words[begin], &word_counts[begin], n, n_topics, &prior[0], prior_sum, beta,
                    beta_sum, weights[i], &gamma[begin, 0], &counts[i, 0], &table[0, 0],
                    &totals[0], &room[0], &p[begin])
                add_assignments_f64(&words[begin], &word_counts[begin], n, n_topics,
                                    &gamma[begin, 0], weights[i], &statistics[0, 0])


def sample_topics_loop(
    const int32_t[::1] starts, const int32_t[::1] words, const int32_t[::1] word_counts,
    const int32_t[::1] token_starts, const float[::1] prior, float prior_sum, float beta,
    double beta_sum, const float[::1] uniforms, int32_t[::1] topics, float[:, ::1] counts,
    float[:, ::1] table, double[::1] totals, float[::1] scale, float[::1] weights, float[::1] p,
):
    """`token_starts` are those of `uniforms`, `topics` and `p`, which have one entry a token."""
    cdef Py_ssize_t i, begin, token, n_topics = table.shape[1]
    with nogil:
        for i in range(starts.shape[0] - 1):
            begin, token = starts[i], token_starts[i]
            if starts[i + 1] > begin:
                sample_document_f32(
                    &words[begin], &word_counts[begin], starts[i + 1] - begin, n_topics,
                    &prior[0], prior_sum, beta, beta_sum, token_starts[i + 1] - token,
                    &uniforms[token], &topics[token], &counts[i, 0], &table[0, 0], &totals[0],
                    &scale[0], &weights[0], &p[token])


def left_to_right_loop(
    const int32_t[::1] starts, const int32_t[::1] words, const double[::1] fractions,
    const double[:, ::1] table, const double[::1] prior, double prior_sum,
    Py_ssize_t n_particles, Py_ssize_t n_moved, uint64_t seed, double[::1] p,
    int32_t[:, ::1] topics, double[:, ::1] room, int n_threads,
):
    """`words` has one entry a token. `topics` and `room` have a row a thread, for what the longest
    document takes."""
    cdef Py_ssize_t i, begin, n_topics = table.shape[1]
    cdef int t = 0
    cdef uniform_stream *streams = <uniform_stream *>malloc(n_threads * sizeof(uniform_stream))
    if streams == NULL:
        raise MemoryError()
    try:
        with nogil, parallel(num_threads=n_threads):
            t = threadid()
            for i in prange(starts.shape[0] - 1, schedule="dynamic"):
                begin = starts[i]
                if starts[i + 1] > begin:
                    left_to_right(
                        &words[begin], &fractions[begin], starts[i + 1] - begin, &table[0, 0],
                        n_topics, &prior[0], prior_sum, n_particles, n_moved, seed, &p[begin],
                        &topics[t, 0], &room[t, 0], &streams[t])
    finally:
        free(streams)
