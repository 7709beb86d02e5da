"""Sigmoid and softplus over contiguous arrays, in blocks shared among threads."""

from cython cimport floating
from cython.parallel cimport prange

cdef extern from "activations.h" nogil:
    void sigmoid_block_f32(const float *x, float *out, Py_ssize_t n) noexcept
    void sigmoid_block_f64(const double *x, double *out, Py_ssize_t n) noexcept
    void softplus_block_f32(const float *x, float *out, Py_ssize_t n) noexcept
    void softplus_block_f64(const double *x, double *out, Py_ssize_t n) noexcept

# Small enough for both arrays to stay in the first-level cache.
cdef Py_ssize_t BLOCK = 2048


def sigmoid_loop(const floating[::1] x, floating[::1] out, int n_threads):
    cdef Py_ssize_t n = x.shape[0]
    cdef Py_ssize_t n_blocks = (n + BLOCK - 1) // BLOCK
    cdef Py_ssize_t block, start, length
    for block in prange(n_blocks, num_threads=n_threads, schedule="static", nogil=True):
        start = block * BLOCK
        length = min(BLOCK, n - start)
        if floating is float:
            sigmoid_block_f32(&x[start], &out[start], length)
        else:
            sigmoid_block_f64(&x[start], &out[start], length)


def softplus_loop(const floating[::1] x, floating[::1] out, int n_threads):
    cdef Py_ssize_t n = x.shape[0]
    cdef Py_ssize_t n_blocks = (n + BLOCK - 1) // BLOCK
    cdef Py_ssize_t block, start, length
    for block in prange(n_blocks, num_threads=n_threads, schedule="static", nogil=True):
        start = block * BLOCK
        length = min(BLOCK, n - start)
        if floating is float:
            softplus_block_f32(&x[start], &out[start], length)
        else:
            softplus_block_f64(&x[start], &out[start], length)
