/* The passes of correlation_scan.h in single or double precision, as a scan is set up. */
#ifndef SKLVM_CORRELATION_SCANS_H
#define SKLVM_CORRELATION_SCANS_H

#define absolute_f32 fabsf
#define absolute_f64 fabs

#define REAL float
#define SCAN(name) name##_f32
#include "correlation_scan.h"
#undef REAL
#undef SCAN

#define REAL double
#define SCAN(name) name##_f64
#include "correlation_scan.h"
#undef REAL
#undef SCAN

typedef struct {
    int is_single; /* precision of the four arrays */
    int positive;
    ptrdiff_t n_atoms, stride; /* of a row without its padding, and with it */
    const void *gram;
    void *open_bound; /* the bounds, but infinity for atoms that are not to be found */
    void *g;
    void *lane_excess;
} correlation_scan;

/* Computes g; returns the largest h - bound. */
static inline double scan_correlations(const correlation_scan *s, const void *c,
                                       const ptrdiff_t *support, const double *a, ptrdiff_t size) {
    return s->is_single
               ? scan_correlations_f32((const float *)c, (const float *)s->gram,
                                       (float *)s->open_bound, s->stride, support, a, size,
                                       s->positive, (float *)s->g, (float *)s->lane_excess)
               : scan_correlations_f64((const double *)c, (const double *)s->gram,
                                       (double *)s->open_bound, s->stride, support, a, size,
                                       s->positive, (double *)s->g, (double *)s->lane_excess);
}

/* Moves coefficient k by `change`; returns the largest h - bound. */
static inline double step_correlations(const correlation_scan *s, ptrdiff_t k, double change) {
    return s->is_single
               ? step_correlations_f32((const float *)s->gram + k * s->stride,
                                       (float *)s->open_bound, s->stride, s->positive, change,
                                       (float *)s->g, (float *)s->lane_excess)
               : step_correlations_f64((const double *)s->gram + k * s->stride,
                                       (double *)s->open_bound, s->stride, s->positive, change,
                                       (double *)s->g, (double *)s->lane_excess);
}

/* The next atom after k (-1: the first) whose h - bound is at least `least`, or `n_atoms`. */
static inline ptrdiff_t next_near(const correlation_scan *s, double least, ptrdiff_t k) {
    return s->is_single ? next_near_f32((float *)s->g, (float *)s->open_bound,
                                        (float *)s->lane_excess, s->n_atoms, s->positive, least, k)
                        : next_near_f64((double *)s->g, (double *)s->open_bound,
                                        (double *)s->lane_excess, s->n_atoms, s->positive, least, k);
}

static inline double correlation(const correlation_scan *s, ptrdiff_t k) {
    return s->is_single ? ((float *)s->g)[k] : ((double *)s->g)[k];
}

static inline void set_open_bound(const correlation_scan *s, ptrdiff_t k, double bound) {
    if (s->is_single)
        ((float *)s->open_bound)[k] = (float)bound;
    else
        ((double *)s->open_bound)[k] = bound;
}

#endif
