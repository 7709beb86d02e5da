/* One optimiser step on a block of parameters, in place, and the squared length of that step.
 *
 * The squares are summed in float64 over LANES interleaved sums that are added up in a fixed order.
 */
#ifndef SKLVM_UPDATES_H
#define SKLVM_UPDATES_H

#include <stddef.h>

#include "simd.h"

#define UPDATE_BLOCK 2048
#define LANES 8

#define DEFINE_UPDATES(suffix, real, square_root)                                               \
    SKLVM_INLINE double squared_norm_##suffix(const real *x, ptrdiff_t n) {                     \
        double sums[LANES] = {0.0};                                                             \
        ptrdiff_t i = 0;                                                                        \
        for (; i + LANES <= n; i += LANES)                                                      \
            for (int lane = 0; lane < LANES; lane++)                                            \
                sums[lane] += (double)x[i + lane] * (double)x[i + lane];                        \
        for (int lane = 0; i + lane < n; lane++)                                                \
            sums[lane] += (double)x[i + lane] * (double)x[i + lane];                            \
        return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +                                    \
               ((sums[2] + sums[6]) + (sums[3] + sums[7]));                                     \
    }                                                                                           \
                                                                                                \
    SKLVM_CLONES static double sgd_block_##suffix(real *theta, const real *gradient,            \
                                                  ptrdiff_t n, real learning_rate) {            \
        real update[UPDATE_BLOCK];                                                              \
        SKLVM_INDEPENDENT                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) {                                                     \
            update[i] = -learning_rate * gradient[i];                                           \
            theta[i] += update[i];                                                              \
        }                                                                                       \
        return squared_norm_##suffix(update, n);                                                \
    }                                                                                           \
                                                                                                \
    SKLVM_CLONES static double momentum_block_##suffix(                                         \
        real *theta, const real *gradient, real *velocity, ptrdiff_t n, real learning_rate,     \
        real momentum, int nesterov) {                                                          \
        real update[UPDATE_BLOCK];                                                              \
        SKLVM_INDEPENDENT                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) {                                                     \
            const real step = learning_rate * gradient[i];                                      \
            velocity[i] = momentum * velocity[i] - step;                                        \
            update[i] = nesterov ? momentum * velocity[i] - step : velocity[i];                 \
            theta[i] += update[i];                                                              \
        }                                                                                       \
        return squared_norm_##suffix(update, n);                                                \
    }                                                                                           \
                                                                                                \
    /* step_size = learning_rate / (1 - beta1^t), root_bias = 1 / sqrt(1 - beta2^t). */         \
    SKLVM_CLONES static double adam_block_##suffix(                                             \
        real *theta, const real *gradient, real *first_moment, real *second_moment,             \
        ptrdiff_t n, real step_size, real root_bias, real beta1, real beta2,                    \
        real one_minus_beta1, real one_minus_beta2, real epsilon) {                             \
        real update[UPDATE_BLOCK];                                                              \
        SKLVM_INDEPENDENT                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) {                                                     \
            const real g = gradient[i];                                                         \
            first_moment[i] = beta1 * first_moment[i] + one_minus_beta1 * g;                    \
            second_moment[i] = beta2 * second_moment[i] + one_minus_beta2 * (g * g);            \
            update[i] = -step_size * first_moment[i] /                                          \
                        (square_root(second_moment[i]) * root_bias + epsilon);                  \
            theta[i] += update[i];                                                              \
        }                                                                                       \
        return squared_norm_##suffix(update, n);                                                \
    }

DEFINE_UPDATES(f32, float, sqrtf)
DEFINE_UPDATES(f64, double, sqrt)

#endif
