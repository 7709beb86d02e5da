"""Optimiser steps over flat parameter vectors, in blocks shared among threads.

Each returns the squared norm of its step: block by block, and the blocks added up in order, so
that it does not depend on the number of threads.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdlib cimport free, malloc

cdef extern from "updates.h" nogil:
    enum: UPDATE_BLOCK
    double sgd_block_f32(float *theta, const float *gradient, Py_ssize_t n,
                         float learning_rate) noexcept
    double sgd_block_f64(double *theta, const double *gradient, Py_ssize_t n,
                         double learning_rate) noexcept
    double momentum_block_f32(float *theta, const float *gradient, float *velocity, Py_ssize_t n,
                              float learning_rate, float momentum, int nesterov) noexcept
    double momentum_block_f64(double *theta, const double *gradient, double *velocity,
                              Py_ssize_t n, double learning_rate, double momentum,
                              int nesterov) noexcept
    double adam_block_f32(float *theta, const float *gradient, float *first_moment,
                          float *second_moment, Py_ssize_t n, float step_size, float root_bias,
                          float beta1, float beta2, float one_minus_beta1,
                          float one_minus_beta2, float epsilon) noexcept
    double adam_block_f64(double *theta, const double *gradient, double *first_moment,
                          double *second_moment, Py_ssize_t n, double step_size,
                          double root_bias, double beta1, double beta2, double one_minus_beta1,
                          double one_minus_beta2, double epsilon) noexcept


def sgd_loop(floating[::1] theta, const floating[::1] gradient, double learning_rate,
             int n_threads):
    cdef Py_ssize_t n = theta.shape[0]
    cdef Py_ssize_t n_blocks = (n + UPDATE_BLOCK - 1) // UPDATE_BLOCK
    cdef Py_ssize_t block, i, length
    cdef double *squares = _allocate(n_blocks)
    for block in prange(n_blocks, num_threads=n_threads, schedule="static", nogil=True):
        i = block * UPDATE_BLOCK
        length = min(<Py_ssize_t>UPDATE_BLOCK, n - i)
        if floating is float:
            squares[block] = sgd_block_f32(&theta[i], &gradient[i], length, <float>learning_rate)
        else:
            squares[block] = sgd_block_f64(&theta[i], &gradient[i], length, learning_rate)
    return _add_up(squares, n_blocks)


def momentum_loop(floating[::1] theta, const floating[::1] gradient, floating[::1] velocity,
                  double learning_rate, double momentum, bint nesterov, int n_threads):
    cdef Py_ssize_t n = theta.shape[0]
    cdef Py_ssize_t n_blocks = (n + UPDATE_BLOCK - 1) // UPDATE_BLOCK
    cdef Py_ssize_t block, i, length
    cdef double *squares = _allocate(n_blocks)
    for block in prange(n_blocks, num_threads=n_threads, schedule="static", nogil=True):
        i = block * UPDATE_BLOCK
        length = min(<Py_ssize_t>UPDATE_BLOCK, n - i)
        if floating is float:
            squares[block] = momentum_block_f32(
                &theta[i], &gradient[i], &velocity[i], length,
                <float>learning_rate, <float>momentum, nesterov)
        else:
            squares[block] = momentum_block_f64(
                &theta[i], &gradient[i], &velocity[i], length,
                learning_rate, momentum, nesterov)
    return _add_up(squares, n_blocks)


def adam_loop(floating[::1] theta, const floating[::1] gradient, floating[::1] first_moment,
              floating[::1] second_moment, double step_size, double root_bias,
              double beta1, double beta2, double epsilon, int n_threads):
    cdef Py_ssize_t n = theta.shape[0]
    cdef Py_ssize_t n_blocks = (n + UPDATE_BLOCK - 1) // UPDATE_BLOCK
    cdef Py_ssize_t block, i, length
    cdef double *squares = _allocate(n_blocks)
    for block in prange(n_blocks, num_threads=n_threads, schedule="static", nogil=True):
        i = block * UPDATE_BLOCK
        length = min(<Py_ssize_t>UPDATE_BLOCK, n - i)
        if floating is float:
            squares[block] = adam_block_f32(
                &theta[i], &gradient[i], &first_moment[i], &second_moment[i], length,
                <float>step_size, <float>root_bias, <float>beta1, <float>beta2,
                <float>(1.0 - beta1), <float>(1.0 - beta2), <float>epsilon)
        else:
            squares[block] = adam_block_f64(
                &theta[i], &gradient[i], &first_moment[i], &second_moment[i], length,
                step_size, root_bias, beta1, beta2, 1.0 - beta1, 1.0 - beta2, epsilon)
    return _add_up(squares, n_blocks)


cdef double *_allocate(Py_ssize_t n_blocks) except NULL:
    cdef double *squares = <double *>malloc((n_blocks + 1) * sizeof(double))
    if squares == NULL:
        raise MemoryError(f"no memory for {n_blocks} partial sums")
    return squares


cdef double _add_up(double *squares, Py_ssize_t n_blocks):
    cdef double total = 0.0
    cdef Py_ssize_t block
    for block in range(n_blocks):
        total += squares[block]
    free(squares)
    return total
