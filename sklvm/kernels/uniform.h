/* Uniform and standard normal numbers of one tile.
 *
 * A float32 takes the top 24 bits of its unit's word, a float64 53 bits of that word and of the same
 * word of a second counter: the same draw, at the resolution of its type.
 */
#ifndef SKLVM_UNIFORM_H
#define SKLVM_UNIFORM_H

#include "tiles.h"

/* uint32 to floating point by way of int32, for which every instruction set has a conversion. */
SKLVM_INLINE double f64_of_u32(uint32_t word) {
    return (double)(int32_t)(word ^ 0x80000000u) + 2147483648.0;
}

SKLVM_INLINE float uniform_f32(uint32_t high) {
    return (float)(int32_t)(high >> 8) * 0x1p-24f;
}

SKLVM_INLINE double uniform_f64(uint32_t high, uint32_t low) {
    return f64_of_u32(high) * 0x1p-32 + (double)(int32_t)(low >> 11) * 0x1p-53;
}

SKLVM_INLINE void uniform_values_f32(const stream *s, ptrdiff_t tile, float *values) {
    tile_words high;
    const ptrdiff_t n = tile_length(s, tile);
    fill_tile(s, tile, 0u, high);
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < n; i++) {
        values[4 * i] = uniform_f32(high[0][i]);
        values[4 * i + 1] = uniform_f32(high[1][i]);
        values[4 * i + 2] = uniform_f32(high[2][i]);
        values[4 * i + 3] = uniform_f32(high[3][i]);
    }
}

SKLVM_INLINE void uniform_values_f64(const stream *s, ptrdiff_t tile, double *values) {
    tile_words high, low;
    const ptrdiff_t n = tile_length(s, tile);
    fill_tile(s, tile, 0u, high);
    fill_tile(s, tile, 0x80000000u, low);
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < n; i++) {
        values[4 * i] = uniform_f64(high[0][i], low[0][i]);
        values[4 * i + 1] = uniform_f64(high[1][i], low[1][i]);
        values[4 * i + 2] = uniform_f64(high[2][i], low[2][i]);
        values[4 * i + 3] = uniform_f64(high[3][i], low[3][i]);
    }
}

/* Copies a tile's values to their places in the (rows, units) array. */
#define DEFINE_TILE_WRITER(distribution, suffix, real)                                         \
    SKLVM_CLONES static void distribution##_tile_##suffix(const stream *s, ptrdiff_t tile,     \
                                                          real *out) {                         \
        real values[4 * TILE];                                                                 \
        const ptrdiff_t n = tile_length(s, tile);                                              \
        distribution##_values_##suffix(s, tile, values);                                       \
        for (segment part = first_segment(s, tile); measure_segment(s, n, &part) > 0;          \
             next_segment(&part))                                                              \
            memcpy(out + part.row * s->units + part.unit, values + 4 * part.counter,           \
                   (size_t)part.length * sizeof(real));                                        \
    }

DEFINE_TILE_WRITER(uniform, f32, float)
DEFINE_TILE_WRITER(uniform, f64, double)

#endif
