/* How often filters occur at each distance from one another: correlations of sparse maps.
 *
 * Codes are sorted by row, then column, then filter; `starts` (n_rows + 1) says where rows begin.
 * Those with row >= own_rows, column < 0 or column >= own_columns repeat others beyond the borders
 * of a circular image: pairs begin at the rest. Sums run in a fixed order.
 */
#ifndef SKLVM_MAP_STATISTICS_H
#define SKLVM_MAP_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "dictionary.h"

typedef struct {
    const int *row, *column, *filter;
    const double *code;
    const int64_t *starts;
    ptrdiff_t n_rows, own_rows, own_columns, n_filters, height, width;
} sparse_maps;

/* scatter[k, l, dy + height - 1, dx + width - 1] += weight z_k(p) z_l(p + (dy, dx)), for one code and
 * all that come after it, and the same with the two exchanged. */
static void add_pairs(const sparse_maps *m, ptrdiff_t i, double weight, double *scatter) {
    const ptrdiff_t wide = 2 * m->width - 1, size = (2 * m->height - 1) * wide;
    const ptrdiff_t centre = (m->height - 1) * wide + m->width - 1;
    const ptrdiff_t k = m->filter[i], row = m->row[i], column = m->column[i];
    const double z = weight * m->code[i];
    for (ptrdiff_t r = row; r < row + m->height && r < m->n_rows; r++) {
        ptrdiff_t j = r == row ? i : m->starts[r], high = m->starts[r + 1];
        if (r > row) {
            /* The first code of the row that is near enough. */
            for (ptrdiff_t low = j, top = high; low < top; j = low) {
                const ptrdiff_t middle = (low + top) / 2;
                if (m->column[middle] <= column - m->width)
                    low = middle + 1;
                else
                    top = middle;
                if (low == top) j = low;
            }
        }
        for (; j < high && m->column[j] < column + m->width; j++) {
            const ptrdiff_t l = m->filter[j], at = (r - row) * wide + m->column[j] - column;
            const double product = z * m->code[j];
            scatter[(k * m->n_filters + l) * size + centre + at] += product;
            if (j != i) scatter[(l * m->n_filters + k) * size + centre - at] += product;
        }
    }
}

/* data[k] += weight z x, x the pixels under the filter, `row_taps` values of each row. */
static void add_pixels(const sparse_maps *m, ptrdiff_t i, double weight, const double *image,
                       ptrdiff_t stride, ptrdiff_t channels, double *data) {
    const ptrdiff_t row_taps = m->width * channels;
    const double *x = image + m->row[i] * stride + m->column[i] * channels;
    double *out = data + m->filter[i] * m->height * row_taps;
    for (ptrdiff_t a = 0; a < m->height; a++, x += stride, out += row_taps)
        add_row(out, x, weight * m->code[i], row_taps);
}

#endif
