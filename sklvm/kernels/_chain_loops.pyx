"""Forward–backward and Viterbi's recursion over many sequences, shared among threads."""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t

cdef extern from "chain.h" nogil:
    ctypedef struct chain_partition:
        double mantissa, exponent, offset, range
    void chain_marginals(
        const double *u, Py_ssize_t T, Py_ssize_t L, Py_ssize_t stride, const double *K,
        const double *K_transposed, double weight, double *e, double *a, double *b, double *v,
        double *marginals, double *pairs, chain_partition *z) noexcept
    void chain_best_path(
        const double *u, Py_ssize_t T, Py_ssize_t L, Py_ssize_t stride, const double *A,
        double *best, double *score, int32_t *back, int32_t *labels) noexcept


def chain_marginal_loop(
    const double[:, ::1] u, const int64_t[::1] starts, const double[::1] weights,
    const double[:, ::1] K, const double[:, ::1] K_transposed, const int64_t[::1] blocks,
    double[:, :, ::1] scratch, double[:, ::1] marginals, double[:, :, ::1] pairs,
    double[:, ::1] partitions, int n_threads,
):
    """Sequences `blocks[k]` to `blocks[k + 1]` add to `pairs[k]`, in their order.

    Each thread's `scratch` has two rows for each row of the longest sequence, and two more.
    """
    cdef Py_ssize_t L = u.shape[1], stride = K.shape[1], k
    for k in prange(blocks.shape[0] - 1, num_threads=n_threads, schedule="dynamic", nogil=True):
        _marginals_of_block(u, starts, weights, K, K_transposed, blocks[k], blocks[k + 1], L,
                            stride, scratch[threadid()], marginals, pairs[k], partitions)


cdef void _marginals_of_block(
    const double[:, ::1] u, const int64_t[::1] starts, const double[::1] weights,
    const double[:, ::1] K, const double[:, ::1] K_transposed, Py_ssize_t first, Py_ssize_t last,
    Py_ssize_t L, Py_ssize_t stride, double[:, ::1] scratch, double[:, ::1] marginals,
    double[:, ::1] pairs, double[:, ::1] partitions,
) noexcept nogil:
    cdef Py_ssize_t i, row, length = (scratch.shape[0] - 2) // 2
    cdef chain_partition z
    for i in range(first, last):
        row = starts[i]
        chain_marginals(&u[row, 0], starts[i + 1] - row, L, stride, &K[0, 0], &K_transposed[0, 0],
                        weights[i], &scratch[2, 0], &scratch[2 + length, 0], &scratch[0, 0],
                        &scratch[1, 0], &marginals[row, 0], &pairs[0, 0], &z)
        partitions[i, 0] = z.mantissa
        partitions[i, 1] = z.exponent
        partitions[i, 2] = z.offset
        partitions[i, 3] = z.range


def chain_path_loop(
    const double[:, ::1] u, const int64_t[::1] starts, const double[:, ::1] A,
    double[:, :, ::1] scratch, int32_t[:, :, ::1] back, int32_t[::1] labels, int n_threads,
):
    """Each thread has its `scratch` and `back`, of a row for each of the longest sequence."""
    cdef Py_ssize_t L = u.shape[1], stride = A.shape[1], i, row, thread
    for i in prange(starts.shape[0] - 1, num_threads=n_threads, schedule="dynamic", nogil=True):
        row = starts[i]
        thread = threadid()
        chain_best_path(&u[row, 0], starts[i + 1] - row, L, stride, &A[0, 0],
                        &scratch[thread, 0, 0], &scratch[thread, 1, 0], &back[thread, 0, 0],
                        &labels[row])
