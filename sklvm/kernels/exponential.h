/* e^x for x <= 0 and log((2 + d) / (2 - d)), by polynomials that the compiler can vectorise.
 *
 * e^x: with n the integer nearest to x / log 2 and r = x - n log 2, |r| <= log(2) / 2,
 *     e^x = 2^n (1 + r + r^2 Q(r)),
 * Q interpolating (e^r - 1 - r) / r^2 at Chebyshev nodes. 2^n is applied as two powers of two, so
 * that a subnormal result is rounded once. Polynomials are split into even and odd powers: the
 * shorter chain of operations keeps the pipelines full.
 *
 * log((2 + d) / (2 - d)) = 2 atanh(d / 2) = d + d^3 R(d^2) on |d| <= 2/3, R interpolating
 * (2 atanh(d / 2) / d - 1) / d^2. Both logarithms needed here have this form without cancellation:
 *     log(1 + t) with d = 2 t / (2 + t),   log m with d = 2 (m - 1) / (m + 1).
 */
#ifndef SKLVM_EXPONENTIAL_H
#define SKLVM_EXPONENTIAL_H

#include "simd.h"

/* The bits of ROUND + k end in those of the integer k, for the k that occur here. */
#define ROUND_F32 12582912.0f         /* 1.5 * 2^23 */
#define ROUND_F64 6755399441055744.0  /* 1.5 * 2^52 */

/* NaN passes through every comparison and product below. */
SKLVM_INLINE float exp_nonpositive_f32(float x) {
    x = x < -104.0f ? -104.0f : x; /* below log(2^-150), where e^x rounds to zero */
    const float rounded = x * 0x1.715476p+0f + (ROUND_F32 + 254.0f);
    const float n = rounded - (ROUND_F32 + 254.0f);
    const float r = (x - n * 0x1.62e4p-1f) - n * 1.428606820e-6f;
    const float r2 = r * r;
    const float q = (0x1.5554dcp-3f * r + 0.5f) +
                    r2 * ((0x1.120ba2p-7f * r + 0x1.55551ap-5f) + r2 * 0x1.6d113cp-10f);
    const float mantissa = 1.0f + (r + r2 * q);
    /* n + 254 = a + b, a and b being the biased exponents of two powers of two. */
    const uint32_t n_plus_254 = bits_of_f32(rounded) - bits_of_f32(ROUND_F32);
    const uint32_t a = n_plus_254 >> 1;
    const uint32_t b = n_plus_254 - a;
    return mantissa * f32_of_bits(a << 23) * f32_of_bits(b << 23);
}

SKLVM_INLINE double exp_nonpositive_f64(double x) {
    x = x < -746.0 ? -746.0 : x; /* below log(2^-1075) */
    const double rounded = x * 0x1.71547652b82fep+0 + (ROUND_F64 + 2046.0);
    const double n = rounded - (ROUND_F64 + 2046.0);
    const double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
    const double r2 = r * r;
    double even = 0x1.2891a8c1d838dp-22;
    even = even * r2 + 0x1.a019b8ef67c6cp-16;
    even = even * r2 + 0x1.6c16c17893833p-10;
    even = even * r2 + 0x1.5555555553d4fp-5;
    even = even * r2 + 0.5;
    double odd = 0x1.af38d53857513p-26;
    odd = odd * r2 + 0x1.71de0d9c145d0p-19;
    odd = odd * r2 + 0x1.a01a01a7c8d47p-13;
    odd = odd * r2 + 0x1.11111111109adp-7;
    odd = odd * r2 + 0x1.5555555555556p-3;
    const double q = even + r * odd;
    const double mantissa = 1.0 + (r + r2 * q);
    const uint64_t n_plus_2046 = bits_of_f64(rounded) - bits_of_f64(ROUND_F64);
    const uint64_t a = n_plus_2046 >> 1;
    const uint64_t b = n_plus_2046 - a;
    return mantissa * f64_of_bits(a << 52) * f64_of_bits(b << 52);
}

SKLVM_INLINE float twice_atanh_of_half_f32(float d) {
    const float z = d * d;
    const float z2 = z * z;
    const float r = (0x1.9998d4p-7f * z + 0x1.555556p-4f) +
                    z2 * ((0x1.bc8c5ep-12f * z + 0x1.24c92cp-9f) + z2 * 0x1.dba57ap-14f);
    return d + d * z * r;
}

SKLVM_INLINE double twice_atanh_of_half_f64(double d) {
    const double z = d * d;
    const double z2 = z * z;
    double even = 0x1.687604d0c86a1p-23;
    even = even * z2 + 0x1.10ac6a3d3e5f6p-18;
    even = even * z2 + 0x1.745cf0aa6a011p-14;
    even = even * z2 + 0x1.24924923d422cp-9;
    even = even * z2 + 0x1.5555555555555p-4;
    double odd = 0x1.4b0ed4be611b2p-24;
    odd = odd * z2 + 0x1.eb913ba3ef69ep-21;
    odd = odd * z2 + 0x1.3b18b34a260a3p-16;
    odd = odd * z2 + 0x1.c71c727164156p-12;
    odd = odd * z2 + 0x1.999999999a3dfp-7;
    const double r = even + z * odd;
    return d + d * z * r;
}

#endif
