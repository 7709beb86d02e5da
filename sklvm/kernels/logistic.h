/* log x for a normal x > 0, and logit u = log u - log(1 - u): a unit is on with probability s(a)
 * where a uniform u has logit u < a.
 *
 * log x: x = 2^n m with m in [sqrt(1/2), sqrt(2)). A u of 0 has some finite logit below -80.
 */
#ifndef SKLVM_LOGISTIC_H
#define SKLVM_LOGISTIC_H

#include "exponential.h"

SKLVM_INLINE float log_positive_f32(float x) {
    const uint32_t shifted = bits_of_f32(x) - 0x3f3504f3u;
    const float n = (float)((int32_t)shifted >> 23);
    const float m = f32_of_bits((shifted & 0x007fffffu) + 0x3f3504f3u);
    return n * 0.693147181f + twice_atanh_of_half_f32(2.0f * (m - 1.0f) / (m + 1.0f));
}

SKLVM_INLINE double log_positive_f64(double x) {
    const uint64_t shifted = bits_of_f64(x) - 0x3fe6a09e667f3bcdu;
    const double n = (double)((int64_t)shifted >> 52);
    const double m = f64_of_bits((shifted & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdu);
    return n * 0.69314718055994531 + twice_atanh_of_half_f64(2.0 * (m - 1.0) / (m + 1.0));
}

SKLVM_INLINE float logit_f32(float u) { return log_positive_f32(u) - log_positive_f32(1.0f - u); }
SKLVM_INLINE double logit_f64(double u) { return log_positive_f64(u) - log_positive_f64(1.0 - u); }

#endif
