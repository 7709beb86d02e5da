/* prox of t |z|^q,  argmin_z 1/2 (z - x)^2 + t |z|^q,  for 0 <= q <= 1; z >= 0 on demand.
 *
 * For q < 1 it jumps: 0 up to the threshold z0 + t q z0^(q-1), z0 = (2 t (1 - q))^(1 / (2 - q)), and
 * beyond it the greater root of z + t q z^(q-1) = |x|. That is a cubic in sqrt(z) for q = 1/2 (Xu,
 * Chang, Xu and Zhang, 2012), a quartic in cbrt(z) for q = 2/3 (Cao, Sun and Xu, 2013), and
 * otherwise found by Newton steps from |x|: the function is convex and increasing right of the
 * root, so that they approach it monotonically.
 */
#ifndef SKLVM_PROX_H
#define SKLVM_PROX_H

#include <math.h>

#include "simd.h"

#define PROX_NEWTON_STEPS 50

SKLVM_INLINE double prox_l1(double x, double t, int positive) {
    const double size = (positive ? x : fabs(x)) - t;
    return size > 0 ? copysign(size, x) : 0;
}

static inline double greater_root(double x, double t, double q) {
    if (q == 0.5) {
        const double angle = acos(-0.25 * t * pow(3 / x, 1.5));
        return 2.0 / 3.0 * x * (1 + cos(2.0 / 3.0 * angle));
    }
    if (q == 2.0 / 3.0) {
        const double e = 2.0 / 3.0 * t;
        const double argument = x * x / 16 * pow(3 / e, 1.5);
        const double m = 2 * sqrt(e / 3) * cosh(acosh(argument) / 3);
        const double s = sqrt(2 * m);
        const double root = 0.5 * (s + sqrt(2 * x / s - s * s));
        return root * root * root;
    }
    double z = x;
    for (int step = 0; step < PROX_NEWTON_STEPS; step++) {
        const double power = t * q * pow(z, q - 1);
        const double next = z - (z + power - x) / (1 + (q - 1) * power / z);
        if (!(next < z)) break;
        z = next;
    }
    return z;
}

static inline double prox_power(double x, double t, double q, int positive) {
    double size, smallest;
    if (q == 1) return prox_l1(x, t, positive);
    if (positive && x < 0) return 0;
    if (t == 0) return x;
    size = fabs(x);
    if (q == 0) return size > sqrt(2 * t) ? x : 0;
    smallest = pow(2 * t * (1 - q), 1 / (2 - q));
    if (size <= smallest + t * q * pow(smallest, q - 1)) return 0;
    return copysign(greater_root(size, t, q), x);
}

/* |z|^q, with |0|^0 = 0 */
static inline double power_penalty(double z, double q) {
    if (z == 0) return 0;
    return q == 1 ? fabs(z) : q == 0 ? 1 : pow(fabs(z), q);
}

#endif
