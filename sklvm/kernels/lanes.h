/* Eight doubles at a time, in whatever registers the clone has: sums over lanes are the same bits on
 * every CPU.
 */
#ifndef SKLVM_LANES_H
#define SKLVM_LANES_H

#include <stddef.h>
#include <string.h>

#include "simd.h"

#define LANE_COUNT 8

#if defined(__GNUC__) || defined(__clang__)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* every function here is inlined */
#endif

typedef double lanes __attribute__((vector_size(64)));

SKLVM_INLINE lanes lanes_load(const double *p) {
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}
SKLVM_INLINE void lanes_store(double *p, lanes v) { memcpy(p, &v, sizeof v); }
SKLVM_INLINE lanes lanes_zero(void) { return (lanes){0}; }
SKLVM_INLINE lanes lanes_add(lanes a, lanes b) { return a + b; }
SKLVM_INLINE lanes lanes_subtract(lanes a, lanes b) { return a - b; }
SKLVM_INLINE lanes lanes_multiply(lanes a, lanes b) { return a * b; }
SKLVM_INLINE lanes lanes_scale(double a, lanes b) { return a * b; }

#else

typedef struct {
    double v[LANE_COUNT];
} lanes;

#define SKLVM_EACH_LANE(expression)                                  \
    lanes out;                                                       \
    for (int i = 0; i < LANE_COUNT; i++) out.v[i] = (expression);    \
    return out

SKLVM_INLINE lanes lanes_load(const double *p) { SKLVM_EACH_LANE(p[i]); }
SKLVM_INLINE void lanes_store(double *p, lanes v) { memcpy(p, v.v, sizeof v.v); }
SKLVM_INLINE lanes lanes_zero(void) { SKLVM_EACH_LANE(0); }
SKLVM_INLINE lanes lanes_add(lanes a, lanes b) { SKLVM_EACH_LANE(a.v[i] + b.v[i]); }
SKLVM_INLINE lanes lanes_subtract(lanes a, lanes b) { SKLVM_EACH_LANE(a.v[i] - b.v[i]); }
SKLVM_INLINE lanes lanes_multiply(lanes a, lanes b) { SKLVM_EACH_LANE(a.v[i] * b.v[i]); }
SKLVM_INLINE lanes lanes_scale(double a, lanes b) { SKLVM_EACH_LANE(a * b.v[i]); }

#endif

/* ((0+4) + (2+6)) + ((1+5) + (3+7)) */
SKLVM_INLINE double lanes_sum(lanes v) {
    double x[LANE_COUNT];
    lanes_store(x, v);
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

#endif
