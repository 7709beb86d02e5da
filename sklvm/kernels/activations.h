/* s(x) = 1 / (1 + e^-x) and S(x) = log(1 + e^x), both from t = e^-|x| <= 1, which cannot overflow:
 *     s(x) = 1 / (1 + t) for x >= 0, t / (1 + t) for x < 0;   S(x) = max(x, 0) + log(1 + t).
 */
#ifndef SKLVM_ACTIVATIONS_H
#define SKLVM_ACTIVATIONS_H

#include <stddef.h>

#include "exponential.h"

SKLVM_INLINE float sigmoid_f32(float x) {
    const float t = exp_nonpositive_f32(-fabsf(x));
    return (x < 0.0f ? t : 1.0f) / (1.0f + t);
}

SKLVM_INLINE double sigmoid_f64(double x) {
    const double t = exp_nonpositive_f64(-fabs(x));
    return (x < 0.0 ? t : 1.0) / (1.0 + t);
}

SKLVM_INLINE float softplus_f32(float x) {
    const float t = exp_nonpositive_f32(-fabsf(x));
    return (x < 0.0f ? 0.0f : x) + twice_atanh_of_half_f32((t + t) / (2.0f + t));
}

SKLVM_INLINE double softplus_f64(double x) {
    const double t = exp_nonpositive_f64(-fabs(x));
    return (x < 0.0 ? 0.0 : x) + twice_atanh_of_half_f64((t + t) / (2.0 + t));
}

#define DEFINE_ELEMENTWISE(function, suffix, real)                                         \
    SKLVM_CLONES static void function##_block_##suffix(const real *x, real *out, ptrdiff_t n) { \
        SKLVM_INDEPENDENT                                                                  \
        for (ptrdiff_t i = 0; i < n; i++) out[i] = function##_##suffix(x[i]);              \
    }

DEFINE_ELEMENTWISE(sigmoid, f32, float)
DEFINE_ELEMENTWISE(sigmoid, f64, double)
DEFINE_ELEMENTWISE(softplus, f32, float)
DEFINE_ELEMENTWISE(softplus, f64, double)

#endif
