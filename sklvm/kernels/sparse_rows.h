/* A @ B by the nonzero entries of A: sums of rows of B.
 *
 * The nonzeros of row i of A are `values[e]` in columns `columns[e]`, starts[i] <= e < starts[i + 1].
 * STRIP columns of a sum stay in registers until the row of A is through.
 */
#ifndef SKLVM_SPARSE_ROWS_H
#define SKLVM_SPARSE_ROWS_H

#include <stddef.h>

#include "simd.h"

#define STRIP 64

/* Listing writes whole vectors: the lists need room for so many entries more than they hold. */
#define LIST_SLACK 16

/* Without a branch, which would be mispredicted. */
#define DEFINE_LIST_NONZEROS(name, real)                                                         \
    static void name(const real *row, ptrdiff_t first, ptrdiff_t n, int32_t *columns,            \
                     real *values) {                                                             \
        ptrdiff_t count = 0;                                                                     \
        for (ptrdiff_t j = first; j < n; j++) {                                                  \
            columns[count] = (int32_t)j;                                                         \
            values[count] = row[j];                                                              \
            count += row[j] != 0;                                                                \
        }                                                                                        \
    }

DEFINE_LIST_NONZEROS(list_scalar_f32, float)
DEFINE_LIST_NONZEROS(list_scalar_f64, double)

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

__attribute__((target("avx512f"))) static void list_avx512_f32(const float *row, ptrdiff_t n,
                                                               int32_t *columns, float *values) {
    const __m512i step = _mm512_set1_epi32(16);
    __m512i j = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    ptrdiff_t count = 0, i = 0;
    for (; i + 16 <= n; i += 16, j = _mm512_add_epi32(j, step)) {
        const __m512 x = _mm512_loadu_ps(row + i);
        const __mmask16 kept = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        _mm512_storeu_si512(columns + count, _mm512_maskz_compress_epi32(kept, j));
        _mm512_storeu_ps(values + count, _mm512_maskz_compress_ps(kept, x));
        count += __builtin_popcount(kept);
    }
    list_scalar_f32(row, i, n, columns + count, values + count);
}

static inline void list_nonzeros_f32(const float *row, ptrdiff_t n, int32_t *columns,
                                     float *values) {
    if (__builtin_cpu_supports("avx512f"))
        list_avx512_f32(row, n, columns, values);
    else
        list_scalar_f32(row, 0, n, columns, values);
}
#else
static inline void list_nonzeros_f32(const float *row, ptrdiff_t n, int32_t *columns,
                                     float *values) {
    list_scalar_f32(row, 0, n, columns, values);
}
#endif

static inline void list_nonzeros_f64(const double *row, ptrdiff_t n, int32_t *columns,
                                     double *values) {
    list_scalar_f64(row, 0, n, columns, values);
}

#define DEFINE_SPARSE_ROWS(suffix, real)                                                         \
    SKLVM_CLONES static ptrdiff_t count_nonzeros_##suffix(const real *row, ptrdiff_t n) {        \
        ptrdiff_t count = 0;                                                                     \
        for (ptrdiff_t j = 0; j < n; j++) count += row[j] != 0;                                  \
        return count;                                                                            \
    }                                                                                            \
                                                                                                 \
    /* `width` is a constant wherever this is inlined, so that `sums` are registers. */          \
    SKLVM_INLINE void sum_rows_##suffix(const int32_t *columns, const real *values, ptrdiff_t n, \
                                        const real *B, ptrdiff_t stride, real *out,              \
                                        const int width) {                                       \
        real sums[STRIP] = {0};                                                                  \
        for (ptrdiff_t e = 0; e < n; e++) {                                                      \
            SKLVM_NOT_JAMMED;                                                                    \
            const real value = values[e];                                                        \
            const real *b = B + columns[e] * stride;                                             \
            SKLVM_INDEPENDENT                                                                    \
            for (int c = 0; c < width; c++) sums[c] += value * b[c];                             \
        }                                                                                        \
        memcpy(out, sums, (size_t)width * sizeof(real));                                         \
    }                                                                                            \
                                                                                                 \
    /* Rows [first_row, last_row) of columns [first_column, last_column): whole strips, the last   \
     * of which may overlap the one before, or where there is no room for that, less at a time. */ \
    SKLVM_CLONES static void product_tile_##suffix(                                              \
        const ptrdiff_t *starts, const int32_t *columns, const real *values,                     \
        ptrdiff_t first_row, ptrdiff_t last_row, const real *B, ptrdiff_t stride,                \
        ptrdiff_t first_column, ptrdiff_t last_column, real *out) {                              \
        for (ptrdiff_t i = first_row; i < last_row; i++) {                                       \
            const int32_t *j = columns + starts[i];                                              \
            const real *v = values + starts[i];                                                  \
            const ptrdiff_t n = starts[i + 1] - starts[i];                                       \
            real *row = out + i * stride;                                                        \
            ptrdiff_t c = first_column;                                                          \
            for (; c + STRIP <= last_column; c += STRIP)                                         \
                sum_rows_##suffix(j, v, n, B + c, stride, row + c, STRIP);                       \
            if (c < last_column && last_column - first_column >= STRIP) {                        \
                c = last_column - STRIP;                                                         \
                sum_rows_##suffix(j, v, n, B + c, stride, row + c, STRIP);                       \
                continue;                                                                        \
            }                                                                                    \
            for (; c + 8 <= last_column; c += 8)                                                 \
                sum_rows_##suffix(j, v, n, B + c, stride, row + c, 8);                           \
            for (; c < last_column; c++) sum_rows_##suffix(j, v, n, B + c, stride, row + c, 1);  \
        }                                                                                        \
    }

DEFINE_SPARSE_ROWS(f32, float)
DEFINE_SPARSE_ROWS(f64, double)

#endif
