/* One pass over a tile of units: p = s(scale (activation + bias)), then 1 where u < p. */
#ifndef SKLVM_BERNOULLI_H
#define SKLVM_BERNOULLI_H

#include "activations.h"
#include "uniform.h"

/* `free_units` (its row stride 0 where all rows share one mask), `state` and `probabilities` may be
 * NULL; a unit whose `free_units` is 0 keeps its `state`. `state` may be `out`. */
#define DEFINE_BERNOULLI_TILE(suffix, real)                                                       \
    SKLVM_CLONES static void bernoulli_tile_##suffix(                                             \
        const stream *s, ptrdiff_t tile, const real *activation, const real *bias, real scale,    \
        const uint8_t *free_units, ptrdiff_t free_row_stride, const real *state,                  \
        real *probabilities, real *out) {                                                         \
        real uniforms[4 * TILE];                                                                  \
        const ptrdiff_t n = tile_length(s, tile);                                                 \
        uniform_values_##suffix(s, tile, uniforms);                                               \
        for (segment part = first_segment(s, tile); measure_segment(s, n, &part) > 0;             \
             next_segment(&part)) {                                                               \
            const ptrdiff_t length = part.length, start = part.row * s->units + part.unit;        \
            const real *a = activation + start, *b = bias + part.unit;                            \
            real *u = uniforms + 4 * part.counter, *x = out + start;                              \
            if (probabilities != NULL) {                                                          \
                real *p = probabilities + start;                                                  \
                SKLVM_INDEPENDENT                                                                 \
                for (ptrdiff_t j = 0; j < length; j++) {                                          \
                    p[j] = sigmoid_##suffix(scale * (a[j] + b[j]));                               \
                    u[j] = u[j] < p[j] ? (real)1 : (real)0;                                       \
                }                                                                                 \
            } else {                                                                              \
                SKLVM_INDEPENDENT                                                                 \
                for (ptrdiff_t j = 0; j < length; j++)                                            \
                    u[j] = u[j] < sigmoid_##suffix(scale * (a[j] + b[j])) ? (real)1 : (real)0;    \
            }                                                                                     \
            if (free_units != NULL) {                                                             \
                const uint8_t *f = free_units + part.row * free_row_stride + part.unit;           \
                const real *kept = state + start;                                                 \
                SKLVM_INDEPENDENT                                                                 \
                for (ptrdiff_t j = 0; j < length; j++) u[j] = f[j] ? u[j] : kept[j];              \
            }                                                                                     \
            memcpy(x, u, (size_t)length * sizeof(real));                                          \
        }                                                                                         \
    }

DEFINE_BERNOULLI_TILE(f32, float)
DEFINE_BERNOULLI_TILE(f64, double)

#endif
