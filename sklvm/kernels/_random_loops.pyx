"""Counter-based random arrays, tile by tile, tiles shared among threads."""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "tiles.h" nogil:
    enum: TILE
    ctypedef struct stream:
        Py_ssize_t rows, units, groups
        uint32_t row_offset, sweep, layer
        uint64_t seed

cdef extern from "philox.h" nogil:
    enum: PHILOX_LANES
    void philox_block(uint32_t **words, Py_ssize_t n, uint64_t key) noexcept

cdef extern from "uniform.h" nogil:
    void uniform_tile_f32(const stream *s, Py_ssize_t tile, float *out) noexcept
    void uniform_tile_f64(const stream *s, Py_ssize_t tile, double *out) noexcept

cdef extern from "normal.h" nogil:
    void normal_tile_f32(const stream *s, Py_ssize_t tile, float *out) noexcept
    void normal_tile_f64(const stream *s, Py_ssize_t tile, double *out) noexcept

cdef extern from "bernoulli.h" nogil:
    void bernoulli_tile_f32(
        const stream *s, Py_ssize_t tile, const float *activation, const float *bias, float scale,
        const uint8_t *free_units, Py_ssize_t free_row_stride, const float *state,
        float *probabilities, float *out) noexcept
    void bernoulli_tile_f64(
        const stream *s, Py_ssize_t tile, const double *activation, const double *bias,
        double scale, const uint8_t *free_units, Py_ssize_t free_row_stride, const double *state,
        double *probabilities, double *out) noexcept


def philox_loop(const uint32_t[:, ::1] counters, uint64_t key, uint32_t[:, ::1] out):
    """The random block of each row of `counters` to the same row of `out`."""
    cdef uint32_t[4][PHILOX_LANES] words
    cdef uint32_t *columns[4]
    cdef Py_ssize_t n = counters.shape[0]
    cdef Py_ssize_t start, lane, w
    for w in range(4):
        columns[w] = words[w]
    for start in range(0, n, PHILOX_LANES):
        for w in range(4):
            for lane in range(PHILOX_LANES):
                words[w][lane] = counters[start + lane, w] if start + lane < n else 0
        philox_block(columns, PHILOX_LANES, key)
        for lane in range(min(PHILOX_LANES, n - start)):
            for w in range(4):
                out[start + lane, w] = words[w][lane]


def uniform_loop(floating[:, ::1] out, index, int n_threads):
    cdef stream s = _stream(out.shape[0], out.shape[1], index)
    cdef Py_ssize_t n_tiles = (s.rows * s.groups + TILE - 1) // TILE
    cdef Py_ssize_t tile
    for tile in prange(n_tiles, num_threads=n_threads, schedule="static", nogil=True):
        if floating is float:
            uniform_tile_f32(&s, tile, &out[0, 0])
        else:
            uniform_tile_f64(&s, tile, &out[0, 0])


def normal_loop(floating[:, ::1] out, index, int n_threads):
    cdef stream s = _stream(out.shape[0], out.shape[1], index)
    cdef Py_ssize_t n_tiles = (s.rows * s.groups + TILE - 1) // TILE
    cdef Py_ssize_t tile
    for tile in prange(n_tiles, num_threads=n_threads, schedule="static", nogil=True):
        if floating is float:
            normal_tile_f32(&s, tile, &out[0, 0])
        else:
            normal_tile_f64(&s, tile, &out[0, 0])


def bernoulli_loop(
    const floating[:, ::1] activation, const floating[::1] bias, index, floating scale,
    const uint8_t[:, ::1] free_units, const floating[:, ::1] state,
    floating[:, ::1] probabilities, floating[:, ::1] out, int n_threads,
):
    """`free_units` has one row, or one for each of `activation`'s; it, `state` and
    `probabilities` may be None."""
    cdef stream s = _stream(out.shape[0], out.shape[1], index)
    cdef Py_ssize_t n_tiles = (s.rows * s.groups + TILE - 1) // TILE
    cdef Py_ssize_t tile
    cdef const uint8_t *mask = NULL
    cdef Py_ssize_t mask_row_stride = 0
    cdef const floating *kept = NULL
    cdef floating *p = NULL
    if free_units is not None:
        mask = &free_units[0, 0]
        mask_row_stride = s.units if free_units.shape[0] > 1 else 0
        kept = &state[0, 0]
    if probabilities is not None:
        p = &probabilities[0, 0]
    for tile in prange(n_tiles, num_threads=n_threads, schedule="static", nogil=True):
        if floating is float:
            bernoulli_tile_f32(&s, tile, &activation[0, 0], &bias[0], scale,
                               mask, mask_row_stride, kept, p, &out[0, 0])
        else:
            bernoulli_tile_f64(&s, tile, &activation[0, 0], &bias[0], scale,
                               mask, mask_row_stride, kept, p, &out[0, 0])


cdef stream _stream(Py_ssize_t rows, Py_ssize_t units, index):
    cdef stream s
    s.rows = rows
    s.units = units
    s.groups = (units + 3) // 4
    s.seed, s.row_offset, s.sweep, s.layer = index
    return s
