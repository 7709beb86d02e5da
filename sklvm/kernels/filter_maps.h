/* Correlations of an image with filters at all places, of which only the large ones are kept.
 *
 * An image is an array of rows, `stride` doubles apart, each of pixels of `channels` values. Filter k
 * has height x width x channels taps; at place (i, j) it lies on the pixels from there on. Filters
 * come tap by tap, in blocks of at most SCAN_FILTERS of them padded to a multiple of LANE_COUNT.
 * A correlation sums its taps in their order, so that it is the same bits wherever it is computed.
 */
#ifndef SKLVM_FILTER_MAPS_H
#define SKLVM_FILTER_MAPS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "lanes.h"

#define SCAN_PIXELS 4
#define SCAN_VECTORS 4
#define SCAN_FILTERS (SCAN_VECTORS * LANE_COUNT)

typedef struct {
    const double *image;
    ptrdiff_t stride;
    ptrdiff_t columns; /* places in a row */
    ptrdiff_t first_place;
    ptrdiff_t channels, height, row_taps; /* row_taps = width * channels */
    ptrdiff_t n_filters;
    const double *taps;            /* blocks of (height * row_taps, vectors * LANE_COUNT) */
    const double *inverse_weights; /* padded by zeros to a multiple of LANE_COUNT */
    int positive;
} map_scan;

/* Correlations at SCAN_PIXELS places with `vectors` vectors of filters. */
SKLVM_INLINE void correlate_block(const map_scan *s, const double *from, const double *taps,
                                  const int vectors, double *out) {
    lanes acc[SCAN_PIXELS][SCAN_VECTORS];
    for (int p = 0; p < SCAN_PIXELS; p++)
        for (int v = 0; v < vectors; v++) acc[p][v] = lanes_zero();
    for (ptrdiff_t a = 0; a < s->height; a++, from += s->stride)
        for (ptrdiff_t q = 0; q < s->row_taps; q++, taps += vectors * LANE_COUNT) {
            lanes f[SCAN_VECTORS];
            for (int v = 0; v < vectors; v++) f[v] = lanes_load(taps + v * LANE_COUNT);
            for (int p = 0; p < SCAN_PIXELS; p++)
                for (int v = 0; v < vectors; v++)
                    acc[p][v] = lanes_add(acc[p][v],
                                          lanes_scale(from[p * s->channels + q], f[v]));
        }
    for (int p = 0; p < SCAN_PIXELS; p++)
        for (int v = 0; v < vectors; v++)
            lanes_store(out + (p * vectors + v) * LANE_COUNT, acc[p][v]);
}

/* What is found in some rows of places. */
typedef struct {
    ptrdiff_t capacity, count; /* count may exceed capacity: then the first of them are kept */
    int64_t *keys;             /* place * n_filters + filter */
    double *values;            /* g / weight */
    double largest;
} map_finds;

/* Notes |g| / w (g / w where codes are non-negative) that exceed `threshold`, at the first `pixels`
 * places of a block. */
SKLVM_INLINE void note_block(const map_scan *s, const double *g, ptrdiff_t first_filter,
                             const int vectors, ptrdiff_t place, int pixels, double threshold,
                             map_finds *finds) {
    const double *inverse = s->inverse_weights + first_filter;
    for (int p = 0; p < pixels; p++, g += vectors * LANE_COUNT) {
        double top[LANE_COUNT] = {0}, largest = 0;
        for (int v = 0; v < vectors; v++)
            for (int lane = 0; lane < LANE_COUNT; lane++) {
                const double x = g[v * LANE_COUNT + lane] * inverse[v * LANE_COUNT + lane];
                const double h = s->positive ? x : fabs(x);
                top[lane] = h > top[lane] ? h : top[lane];
            }
        for (int lane = 0; lane < LANE_COUNT; lane++)
            largest = top[lane] > largest ? top[lane] : largest;
        finds->largest = largest > finds->largest ? largest : finds->largest;
        if (!(largest > threshold)) continue;
        for (ptrdiff_t k = 0; k < vectors * LANE_COUNT; k++) {
            const double x = g[k] * inverse[k], h = s->positive ? x : fabs(x);
            if (!(h > threshold)) continue;
            if (finds->count < finds->capacity) {
                finds->keys[finds->count] = (place + p) * s->n_filters + first_filter + k;
                finds->values[finds->count] = x;
            }
            finds->count++;
        }
    }
}

SKLVM_INLINE void scan_filters(const map_scan *s, const double *row, const double *taps,
                               ptrdiff_t first_filter, const int vectors, ptrdiff_t first_place,
                               double threshold, map_finds *finds) {
    double g[SCAN_PIXELS * SCAN_FILTERS];
    for (ptrdiff_t j = 0; j < s->columns; j += SCAN_PIXELS) {
        const ptrdiff_t left = s->columns - j;
        correlate_block(s, row + j * s->channels, taps, vectors, g);
        note_block(s, g, first_filter, vectors, first_place + j,
                   left < SCAN_PIXELS ? (int)left : SCAN_PIXELS, threshold, finds);
    }
}

/* One row of places. The image must be readable SCAN_PIXELS pixels beyond the last. */
SKLVM_CLONES static void scan_row(const map_scan *s, ptrdiff_t i, double threshold,
                                  map_finds *finds) {
    const double *row = s->image + i * s->stride, *taps = s->taps;
    for (ptrdiff_t k = 0; k < s->n_filters; k += SCAN_FILTERS) {
        const ptrdiff_t left = s->n_filters - k;
        const int vectors = left >= SCAN_FILTERS
                                ? SCAN_VECTORS
                                : (int)((left + LANE_COUNT - 1) / LANE_COUNT);
        const ptrdiff_t place = s->first_place + i * s->columns;
        if (vectors == 1)
            scan_filters(s, row, taps, k, 1, place, threshold, finds);
        else if (vectors == 2)
            scan_filters(s, row, taps, k, 2, place, threshold, finds);
        else if (vectors == 3)
            scan_filters(s, row, taps, k, 3, place, threshold, finds);
        else
            scan_filters(s, row, taps, k, 4, place, threshold, finds);
        taps += s->height * s->row_taps * vectors * LANE_COUNT;
    }
}

#endif
