/* Sites of a machine whose units are all coupled with each other, visited one after the other.
 *
 * Unit j of a row has the input u_j = sum_k J_jk x_k, J symmetric with diagonal 0. It becomes `high`
 * where scale u_j > t_j, `low` where scale u_j < t_j, and stays where neither holds; t is a threshold
 * minus the unit's bias. Where it changes by delta, delta times row j of J is added to u.
 *
 * Some rows go together, SITE_BLOCK sites at a time: within the block a row's own inputs change at
 * once; what its changes do to all other inputs follows tile by tile of columns, for all rows, while
 * a tile of J is in the nearest cache. Every u_j is a sum in the order of the changes, so that the
 * result does not depend on blocks, nor on which rows go together.
 */
#ifndef SKLVM_SITES_H
#define SKLVM_SITES_H

#include <stddef.h>

#include "logistic.h"

#define SITE_BLOCK 64
#define SITE_ROWS 32 /* that go together at most */

/* Adds deltas[f] J[sites[f], 0 .. width - 1] to u, for f in order: a whole tile in registers. */
#if defined(__GNUC__) || defined(__clang__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* every function here is inlined */
#endif
#define DEFINE_ADD_TILE(suffix, real)                                                              \
    typedef real site_lanes_##suffix __attribute__((vector_size(64)));                             \
                                                                                                   \
    SKLVM_INLINE site_lanes_##suffix site_load_##suffix(const real *p) {                           \
        site_lanes_##suffix v;                                                                     \
        memcpy(&v, p, sizeof v);                                                                   \
        return v;                                                                                  \
    }                                                                                              \
    SKLVM_INLINE void site_store_##suffix(real *p, site_lanes_##suffix v) {                        \
        memcpy(p, &v, sizeof v);                                                                   \
    }                                                                                              \
                                                                                                   \
    SKLVM_INLINE void add_whole_tile_##suffix(const real *J, ptrdiff_t d, const int32_t *sites,    \
                                              const real *deltas, int n, real *u) {                \
        enum { LANES = 64 / sizeof(real) };                                                        \
        for (int part = 0; part < SITE_BLOCK; part += 4 * LANES) {                                 \
            real *const p = u + part;                                                              \
            site_lanes_##suffix a = site_load_##suffix(p), b = site_load_##suffix(p + LANES);      \
            site_lanes_##suffix c = site_load_##suffix(p + 2 * LANES);                             \
            site_lanes_##suffix e = site_load_##suffix(p + 3 * LANES);                             \
            for (int f = 0; f < n; f++) {                                                          \
                const real *const row = J + sites[f] * d + part;                                   \
                const real delta = deltas[f];                                                      \
                a += delta * site_load_##suffix(row);                                              \
                b += delta * site_load_##suffix(row + LANES);                                      \
                c += delta * site_load_##suffix(row + 2 * LANES);                                  \
                e += delta * site_load_##suffix(row + 3 * LANES);                                  \
            }                                                                                      \
            site_store_##suffix(p, a), site_store_##suffix(p + LANES, b);                          \
            site_store_##suffix(p + 2 * LANES, c), site_store_##suffix(p + 3 * LANES, e);          \
        }                                                                                          \
    }
#else
#define DEFINE_ADD_TILE(suffix, real)                                                              \
    SKLVM_INLINE void add_whole_tile_##suffix(const real *J, ptrdiff_t d, const int32_t *sites,    \
                                              const real *deltas, int n, real *u) {                \
        for (int f = 0; f < n; f++)                                                                \
            for (int k = 0; k < SITE_BLOCK; k++) u[k] += deltas[f] * J[sites[f] * d + k];          \
    }
#endif

/* One pass over all sites of `n` rows, at most SITE_ROWS. `bias` and `free_units` are rows, with the
 * stride 0 where all rows share one; `free_units` may be NULL, else a unit stays where it is 0.
 * `uniforms` may be NULL: the threshold is then 0, and there is no chance. Rows that are 0 in
 * `n_changes` are left out; in the end it says how many units of each have changed. */
#define DEFINE_SITES(suffix, real)                                                                 \
    DEFINE_ADD_TILE(suffix, real)                                                                  \
                                                                                                   \
    SKLVM_INLINE int visit_block_##suffix(const real *J, ptrdiff_t d, ptrdiff_t width, real scale, \
                                          real low, const real *thresholds,                        \
                                          real *x, real *u, int32_t *sites, real *deltas) {        \
        int n = 0;                                                                                 \
        for (ptrdiff_t k = 0; k < width; k++) {                                                    \
            /* Without a branch but for the rare change. */                                        \
            const real input = scale * u[k];                                                       \
            const int is_above = input > thresholds[k], is_below = input < thresholds[k];          \
            const real delta = is_above * ((real)1 - x[k]) + is_below * (low - x[k]);              \
            if (delta == 0) continue;                                                              \
            x[k] = is_above ? (real)1 : low;                                                       \
            sites[n] = (int32_t)k;                                                                 \
            deltas[n++] = delta;                                                                   \
            const real *const row = J + k * d;                                                     \
            SKLVM_INDEPENDENT                                                                      \
            for (ptrdiff_t j = 0; j < width; j++) u[j] += delta * row[j];                          \
        }                                                                                          \
        return n;                                                                                  \
    }                                                                                              \
                                                                                                   \
    SKLVM_CLONES static void visit_sites_##suffix(                                                 \
        ptrdiff_t n, ptrdiff_t d, const real *J, const real *bias, ptrdiff_t bias_stride,          \
        real scale, real low, const real *uniforms, const uint8_t *free_units,                     \
        ptrdiff_t free_stride, real *x, real *u, int64_t *n_changes) {                             \
        int32_t sites[SITE_ROWS][SITE_BLOCK];                                                      \
        real deltas[SITE_ROWS][SITE_BLOCK], thresholds[SITE_BLOCK];                                \
        int counts[SITE_ROWS];                                                                     \
        int64_t totals[SITE_ROWS] = {0};                                                           \
        for (ptrdiff_t start = 0; start < d; start += SITE_BLOCK) {                                \
            const ptrdiff_t width = d - start < SITE_BLOCK ? d - start : SITE_BLOCK;               \
            for (ptrdiff_t i = 0; i < n; i++) {                                                    \
                counts[i] = 0;                                                                     \
                if (!n_changes[i]) continue;                                                       \
                const real *const b = bias + i * bias_stride + start;                              \
                if (uniforms != NULL) {                                                            \
                    const real *const draws = uniforms + i * d + start;                            \
                    SKLVM_INDEPENDENT                                                              \
                    for (ptrdiff_t k = 0; k < width; k++)                                          \
                        thresholds[k] = logit_##suffix(draws[k]) - b[k];                           \
                } else {                                                                           \
                    for (ptrdiff_t k = 0; k < width; k++) thresholds[k] = -b[k];                   \
                }                                                                                  \
                if (free_units != NULL) {                                                          \
                    const uint8_t *const mask = free_units + i * free_stride + start;              \
                    /* Nothing is above or below NaN: the unit stays. */                           \
                    for (ptrdiff_t k = 0; k < width; k++)                                          \
                        thresholds[k] = mask[k] ? thresholds[k] : (real)NAN;                       \
                }                                                                                  \
                real *const states = x + i * d + start, *const inputs = u + i * d + start;         \
                const real *const block = J + start * d + start;                                   \
                counts[i] = width == SITE_BLOCK                                                    \
                    ? visit_block_##suffix(block, d, SITE_BLOCK, scale, low, thresholds, states,   \
                                           inputs, sites[i], deltas[i])                            \
                    : visit_block_##suffix(block, d, width, scale, low, thresholds, states,        \
                                           inputs, sites[i], deltas[i]);                           \
                totals[i] += counts[i];                                                            \
            }                                                                                      \
            for (ptrdiff_t tile = 0; tile < d; tile += SITE_BLOCK) {                               \
                if (tile == start) continue;                                                       \
                const real *const columns = J + start * d + tile;                                  \
                const ptrdiff_t n_columns = d - tile < SITE_BLOCK ? d - tile : SITE_BLOCK;         \
                for (ptrdiff_t i = 0; i < n; i++) {                                                \
                    real *const inputs = u + i * d + tile;                                         \
                    if (n_columns == SITE_BLOCK) {                                                 \
                        add_whole_tile_##suffix(columns, d, sites[i], deltas[i], counts[i],        \
                                                inputs);                                           \
                        continue;                                                                  \
                    }                                                                              \
                    for (int f = 0; f < counts[i]; f++) {                                          \
                        const real *const row = columns + sites[i][f] * d;                         \
                        const real delta = deltas[i][f];                                           \
                        SKLVM_INDEPENDENT                                                          \
                        for (ptrdiff_t k = 0; k < n_columns; k++) inputs[k] += delta * row[k];     \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        for (ptrdiff_t i = 0; i < n; i++) n_changes[i] = totals[i];                                \
    }

DEFINE_SITES(f32, float)
DEFINE_SITES(f64, double)

/* The symmetric matrix of diagonal 0 with the values of its upper triangle, row by row. Tiles keep
 * what is written to columns in the nearest cache. */
#define PAIR_TILE 32

#define DEFINE_PAIR_MATRIX(suffix, real)                                                           \
    SKLVM_CLONES static void pair_matrix_##suffix(const real *values, ptrdiff_t d, real *J) {      \
        for (ptrdiff_t top = 0; top < d; top += PAIR_TILE) {                                       \
            const ptrdiff_t bottom = top + PAIR_TILE < d ? top + PAIR_TILE : d;                    \
            for (ptrdiff_t left = top; left < d; left += PAIR_TILE) {                              \
                const ptrdiff_t right = left + PAIR_TILE < d ? left + PAIR_TILE : d;               \
                for (ptrdiff_t i = top; i < bottom; i++) {                                         \
                    const real *const row = values + i * (2 * d - i - 1) / 2 - i - 1;              \
                    for (ptrdiff_t j = left > i ? left : i + 1; j < right; j++)                    \
                        J[i * d + j] = J[j * d + i] = row[j];                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        for (ptrdiff_t i = 0; i < d; i++) J[i * d + i] = 0;                                        \
    }

DEFINE_PAIR_MATRIX(f32, float)
DEFINE_PAIR_MATRIX(f64, double)

/* The same for units that are coupled with few others, as many rows side by side as fit into a
 * vector: x and t of shape (d, lanes). Slots starts[s] to starts[s + 1] are the neighbours of site s,
 * with their weights; sites come in the order of `sites`. */
#define SITE_LANES_F32 16
#define SITE_LANES_F64 8

typedef struct {
    ptrdiff_t n_sites;
    const int32_t *sites;
    const int64_t *starts;
    const int32_t *neighbours;
} site_graph;

#if defined(__GNUC__) || defined(__clang__)
#define DEFINE_SPARSE_SUMS(suffix, real, LANES)                                                    \
    SKLVM_INLINE void sparse_sums_##suffix(const site_graph *g, const real *weights, ptrdiff_t s,  \
                                           const real *x, real *sums) {                            \
        site_lanes_##suffix sum = {0};                                                             \
        for (int64_t slot = g->starts[s]; slot < g->starts[s + 1]; slot++)                         \
            sum += weights[slot] * site_load_##suffix(x + (ptrdiff_t)g->neighbours[slot] * LANES); \
        site_store_##suffix(sums, sum);                                                            \
    }
#else
#define DEFINE_SPARSE_SUMS(suffix, real, LANES)                                                    \
    SKLVM_INLINE void sparse_sums_##suffix(const site_graph *g, const real *weights, ptrdiff_t s,  \
                                           const real *x, real *sums) {                            \
        for (int lane = 0; lane < LANES; lane++) sums[lane] = 0;                                   \
        for (int64_t slot = g->starts[s]; slot < g->starts[s + 1]; slot++)                         \
            for (int lane = 0; lane < LANES; lane++)                                               \
                sums[lane] += weights[slot] * x[(ptrdiff_t)g->neighbours[slot] * LANES + lane];    \
    }
#endif

/* `lanes` is LANES, which the compiler is not to know: it would unroll the loops before it could
 * vectorise them. */
#define DEFINE_SPARSE_SITES(suffix, real, LANES)                                                   \
    DEFINE_SPARSE_SUMS(suffix, real, LANES)                                                        \
                                                                                                   \
    SKLVM_INLINE void copy_sites_##suffix(real *to, const real *from, ptrdiff_t width) {           \
        if (width == SITE_BLOCK)                                                                   \
            memcpy(to, from, SITE_BLOCK * sizeof(real));                                           \
        else                                                                                       \
            memcpy(to, from, (size_t)width * sizeof(real));                                        \
    }                                                                                              \
                                                                                                   \
    SKLVM_CLONES static void visit_sparse_sites_##suffix(                                          \
        const site_graph *g, const real *weights, const real *bias, ptrdiff_t bias_stride,         \
        real scale, const real *uniforms, const uint8_t *free_units, ptrdiff_t free_stride,        \
        ptrdiff_t n, ptrdiff_t lanes, real *work, real *states) {                                  \
        const ptrdiff_t d = g->n_sites;                                                            \
        real *const x = work, *const t = work + d * LANES;                                         \
        real tile[LANES][SITE_BLOCK + 1] = {{0}};                                                  \
        for (ptrdiff_t start = 0; start < d; start += SITE_BLOCK) {                                \
            const ptrdiff_t width = d - start < SITE_BLOCK ? d - start : SITE_BLOCK;               \
            for (ptrdiff_t i = 0; i < n; i++) {                                                    \
                const real *const b = bias + i * bias_stride + start;                              \
                const real *const draws = uniforms + i * d + start;                                \
                SKLVM_INDEPENDENT                                                                  \
                for (ptrdiff_t k = 0; k < width; k++)                                              \
                    tile[i][k] = logit_##suffix(draws[k]) - b[k];                                  \
                if (free_units != NULL) {                                                          \
                    const uint8_t *const mask = free_units + i * free_stride + start;              \
                    for (ptrdiff_t k = 0; k < width; k++)                                          \
                        tile[i][k] = mask[k] ? tile[i][k] : (real)NAN;                             \
                }                                                                                  \
            }                                                                                      \
            for (ptrdiff_t k = 0; k < width; k++)                                                  \
                for (ptrdiff_t i = 0; i < lanes; i++) t[(start + k) * LANES + i] = tile[i][k];           \
            for (ptrdiff_t i = 0; i < n; i++)                                                      \
                copy_sites_##suffix(tile[i], states + i * d + start, width);                       \
            for (ptrdiff_t k = 0; k < width; k++)                                                  \
                for (ptrdiff_t i = 0; i < lanes; i++) x[(start + k) * LANES + i] = tile[i][k];           \
        }                                                                                          \
        for (ptrdiff_t i = 0; i < d; i++) {                                                        \
            real sums[LANES];                                                                      \
            sparse_sums_##suffix(g, weights, g->sites[i], x, sums);                                \
            real *const x_s = x + g->sites[i] * LANES, *const t_s = t + g->sites[i] * LANES;       \
            SKLVM_INDEPENDENT                                                                      \
            for (ptrdiff_t lane = 0; lane < lanes; lane++) {                                       \
                const real input = scale * sums[lane];                                             \
                const real lowered = input < t_s[lane] ? (real)0 : x_s[lane];                      \
                x_s[lane] = input > t_s[lane] ? (real)1 : lowered;                                 \
            }                                                                                      \
        }                                                                                          \
        for (ptrdiff_t start = 0; start < d; start += SITE_BLOCK) {                                \
            const ptrdiff_t width = d - start < SITE_BLOCK ? d - start : SITE_BLOCK;               \
            for (ptrdiff_t k = 0; k < width; k++)                                                  \
                for (ptrdiff_t i = 0; i < lanes; i++) tile[i][k] = x[(start + k) * LANES + i];           \
            for (ptrdiff_t i = 0; i < n; i++)                                                      \
                copy_sites_##suffix(states + i * d + start, tile[i], width);                       \
        }                                                                                          \
    }

DEFINE_SPARSE_SITES(f32, float, SITE_LANES_F32)
DEFINE_SPARSE_SITES(f64, double, SITE_LANES_F64)

#endif
