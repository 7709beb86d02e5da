/* Standard normal numbers by Box and Muller ("A note on the generation of random normal deviates",
 * Ann. Math. Statist. 29, 1958): with u and v uniform,
 *     sqrt(-2 log u) cos(2 pi v)   and   sqrt(-2 log u) sin(2 pi v)
 * are independent standard normal. Words 0 and 1 of a counter give its units 0 and 1, words 2 and 3
 * its units 2 and 3. u lies in (0, 1], fine near 0, where the tails come from.
 */
#ifndef SKLVM_NORMAL_H
#define SKLVM_NORMAL_H

#include "exponential.h"
#include "uniform.h"

/* -2 log u for a normal u in (0, 1]: u = 2^n m with m in [sqrt(1/2), sqrt(2)). */
SKLVM_INLINE float minus_twice_log_f32(float u) {
    const uint32_t shifted = bits_of_f32(u) - 0x3f3504f3u; /* the bits of sqrt(1/2) */
    const int32_t n = (int32_t)shifted >> 23;
    const float m = f32_of_bits((shifted & 0x007fffffu) + 0x3f3504f3u);
    const float log_m = twice_atanh_of_half_f32(2.0f * (m - 1.0f) / (m + 1.0f));
    return -2.0f * ((float)n * 0.693147181f + log_m);
}

SKLVM_INLINE double minus_twice_log_f64(double u) {
    const uint64_t shifted = bits_of_f64(u) - 0x3fe6a09e667f3bcdu;
    const uint64_t n_plus_1023 = (shifted + (1023ull << 52)) >> 52;
    const double n = f64_of_bits(n_plus_1023 | bits_of_f64(ROUND_F64)) - (ROUND_F64 + 1023.0);
    const double m = f64_of_bits((shifted & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdu);
    const double log_m = twice_atanh_of_half_f64(2.0 * (m - 1.0) / (m + 1.0));
    return -2.0 * (n * 0.69314718055994531 + log_m);
}

/* cos and sin of 2 pi v, where 4 v = quarter + f, with quarter = 0, 1, 2, 3 and f in [-1/2, 1/2). */
SKLVM_INLINE void cos_sin_f32(uint32_t quarter, float f, float *cosine, float *sine) {
    const float phi = f * 1.57079633f;
    const float z = phi * phi;
    const float s = phi + phi * z * ((-0x1.9ac98ep-13f * z + 0x1.110c28p-7f) * z - 0x1.555552p-3f);
    const float c = 1.0f - z * 0.5f +
                    z * z * ((0x1.9bd88p-16f * z - 0x1.6c12d2p-10f) * z + 0x1.555554p-5f);
    const float cos_size = quarter & 1u ? s : c;
    const float sin_size = quarter & 1u ? c : s;
    *cosine = f32_of_bits(bits_of_f32(cos_size) ^ (((quarter + 1u) & 2u) << 30));
    *sine = f32_of_bits(bits_of_f32(sin_size) ^ ((quarter & 2u) << 30));
}

SKLVM_INLINE void cos_sin_f64(uint32_t quarter, double f, double *cosine, double *sine) {
    const double phi = f * 1.5707963267948966;
    const double z = phi * phi;
    double s = 0x1.5e0b05bff20f2p-33;
    s = s * z - 0x1.ae600aca92c64p-26;
    s = s * z + 0x1.71de379654304p-19;
    s = s * z - 0x1.a01a019e83816p-13;
    s = s * z + 0x1.1111111110bb2p-7;
    s = s * z - 0x1.5555555555555p-3;
    s = phi + phi * z * s;
    double c = -0x1.907d8f29fe831p-37;
    c = c * z + 0x1.1eeb68cd22f56p-29;
    c = c * z - 0x1.27e4fa17bf139p-22;
    c = c * z + 0x1.a01a019f4e9b4p-16;
    c = c * z - 0x1.6c16c16c16967p-10;
    c = c * z + 0x1.5555555555555p-5;
    c = 1.0 - z * 0.5 + z * z * c;
    const uint64_t swap = quarter & 1u;
    const double cos_size = swap ? s : c;
    const double sin_size = swap ? c : s;
    const uint64_t wide = quarter;
    *cosine = f64_of_bits(bits_of_f64(cos_size) ^ (((wide + 1u) & 2u) << 62));
    *sine = f64_of_bits(bits_of_f64(sin_size) ^ ((wide & 2u) << 62));
}

SKLVM_INLINE void normal_pair_f32(uint32_t u, uint32_t v, float *first, float *second) {
    /* The half keeps u off zero. */
    const float minus_twice_log = minus_twice_log_f32(((float)(int32_t)(u >> 1) + 0.5f) * 0x1p-31f);
    const float radius = sqrtf(minus_twice_log);
    cos_sin_f32((v + 0x20000000u) >> 30, (float)(int32_t)(v << 2) * 0x1p-32f, first, second);
    *first *= radius;
    *second *= radius;
}

SKLVM_INLINE void normal_pair_f64(uint32_t u, uint32_t u_low, uint32_t v, uint32_t v_low,
                                  double *first, double *second) {
    const double radius = sqrt(minus_twice_log_f64(
        f64_of_u32(u) * 0x1p-32 + (f64_of_u32(u_low) + 0.5) * 0x1p-64));
    cos_sin_f64((v + 0x20000000u) >> 30,
                (double)(int32_t)(v << 2) * 0x1p-32 + (double)(int32_t)(v_low >> 1) * 0x1p-61,
                first, second);
    *first *= radius;
    *second *= radius;
}

SKLVM_INLINE void normal_values_f32(const stream *s, ptrdiff_t tile, float *values) {
    tile_words high;
    const ptrdiff_t n = tile_length(s, tile);
    fill_tile(s, tile, 0u, high);
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < n; i++) {
        float a, b, c, d;
        normal_pair_f32(high[0][i], high[1][i], &a, &b);
        normal_pair_f32(high[2][i], high[3][i], &c, &d);
        values[4 * i] = a;
        values[4 * i + 1] = b;
        values[4 * i + 2] = c;
        values[4 * i + 3] = d;
    }
}

SKLVM_INLINE void normal_values_f64(const stream *s, ptrdiff_t tile, double *values) {
    tile_words high, low;
    const ptrdiff_t n = tile_length(s, tile);
    fill_tile(s, tile, 0u, high);
    fill_tile(s, tile, 0x80000000u, low);
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < n; i++) {
        double a, b, c, d;
        normal_pair_f64(high[0][i], low[0][i], high[1][i], low[1][i], &a, &b);
        normal_pair_f64(high[2][i], low[2][i], high[3][i], low[3][i], &c, &d);
        values[4 * i] = a;
        values[4 * i + 1] = b;
        values[4 * i + 2] = c;
        values[4 * i + 3] = d;
    }
}

DEFINE_TILE_WRITER(normal, f32, float)
DEFINE_TILE_WRITER(normal, f64, double)

#endif
