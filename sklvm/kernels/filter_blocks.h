/* Single atoms of a convolutional dictionary: a filter at one place of an image.
 *
 * Images are as in filter_maps.h. A filter has `height` rows of `groups` * LANE_COUNT taps, the
 * padding zero. Where an atom wraps around the borders of a circular image its pixels are copied out
 * and back; elsewhere it is updated in place, its padding unchanged. Sums run in a fixed order.
 */
#ifndef SKLVM_FILTER_BLOCKS_H
#define SKLVM_FILTER_BLOCKS_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "lanes.h"
#include "prox.h"

typedef struct {
    double *residual;
    const double *mask; /* of the residual's layout, or NULL */
    ptrdiff_t stride, rows, columns, channels;
    ptrdiff_t height, width, groups;
    const double *filters; /* (n_filters, height, groups * LANE_COUNT) */
    const double *bound;   /* a filter */
    int positive, circular;
    double *room;          /* of a thread: 2 * height * groups * LANE_COUNT */
} filter_problem;

/* The atoms that are worked on, in the order of work. */
typedef struct {
    const int *row, *column, *filter;
    double *code;
    const double *curvature; /* of 1/2 |r|^2 along the atom */
    const double *inverse;   /* 1 / (curvature + ridge) */
} filter_atoms;

SKLVM_INLINE int wraps(const filter_problem *f, ptrdiff_t i, ptrdiff_t j) {
    return f->circular && (i + f->height > f->rows || j + f->width > f->columns);
}

/* Row a of an atom that wraps: where it starts, and how many of its values lie before the border. */
SKLVM_INLINE ptrdiff_t wrapped_row(const filter_problem *f, ptrdiff_t i, ptrdiff_t j, ptrdiff_t a,
                                   ptrdiff_t *before) {
    const ptrdiff_t row = i + a < f->rows ? i + a : i + a - f->rows;
    const ptrdiff_t left = f->columns - j;
    *before = (left < f->width ? left : f->width) * f->channels;
    return row * f->stride;
}

/* The pixels of an atom that wraps, padded by zeros. */
SKLVM_INLINE void copy_out(const filter_problem *f, const double *image, ptrdiff_t i, ptrdiff_t j,
                           double *block) {
    const ptrdiff_t size = f->groups * LANE_COUNT, taps = f->width * f->channels;
    for (ptrdiff_t a = 0; a < f->height; a++, block += size) {
        ptrdiff_t before, n = 0;
        const double *row = image + wrapped_row(f, i, j, a, &before);
        for (; n < before; n++) block[n] = row[j * f->channels + n];
        for (; n < taps; n++) block[n] = row[n - before];
        for (; n < size; n++) block[n] = 0;
    }
}

SKLVM_INLINE void copy_back(const filter_problem *f, const double *block, ptrdiff_t i, ptrdiff_t j,
                            double *image) {
    const ptrdiff_t size = f->groups * LANE_COUNT, taps = f->width * f->channels;
    for (ptrdiff_t a = 0; a < f->height; a++, block += size) {
        ptrdiff_t before, n = 0;
        double *row = image + wrapped_row(f, i, j, a, &before);
        for (; n < before; n++) row[j * f->channels + n] = block[n];
        for (; n < taps; n++) row[n - before] = block[n];
    }
}

/* <r, d>: two partial sums, over the rows of narrow filters and over the groups of wide ones. */
SKLVM_INLINE double block_product(const double *r, ptrdiff_t stride, const double *d,
                                  ptrdiff_t height, const ptrdiff_t groups) {
    lanes even = lanes_zero(), odd = lanes_zero();
    if (groups == 1) {
        ptrdiff_t a = 0;
        for (; a + 2 <= height; a += 2, r += 2 * stride, d += 2 * LANE_COUNT) {
            even = lanes_add(even, lanes_multiply(lanes_load(r), lanes_load(d)));
            odd = lanes_add(odd, lanes_multiply(lanes_load(r + stride),
                                                lanes_load(d + LANE_COUNT)));
        }
        if (a < height) even = lanes_add(even, lanes_multiply(lanes_load(r), lanes_load(d)));
        return lanes_sum(lanes_add(even, odd));
    }
    for (ptrdiff_t a = 0; a < height; a++, r += stride, d += groups * LANE_COUNT)
        for (ptrdiff_t g = 0; g < groups; g++) {
            const lanes x = lanes_multiply(lanes_load(r + g * LANE_COUNT),
                                           lanes_load(d + g * LANE_COUNT));
            if (g % 2 == 0)
                even = lanes_add(even, x);
            else
                odd = lanes_add(odd, x);
        }
    return lanes_sum(lanes_add(even, odd));
}

/* r -= m change d */
SKLVM_INLINE void block_subtract(double *r, ptrdiff_t stride, const double *m,
                                 ptrdiff_t mask_stride, const double *d, double change,
                                 ptrdiff_t height, const ptrdiff_t groups, const int masked) {
    for (ptrdiff_t a = 0; a < height; a++, r += stride, d += groups * LANE_COUNT) {
        for (ptrdiff_t g = 0; g < groups * LANE_COUNT; g += LANE_COUNT) {
            lanes x = lanes_scale(change, lanes_load(d + g));
            if (masked) x = lanes_multiply(x, lanes_load(m + g));
            lanes_store(r + g, lanes_subtract(lanes_load(r + g), x));
        }
        if (masked) m += mask_stride;
    }
}

/* An atom's pixels, where they are or copied out. */
typedef struct {
    double *r;
    const double *m, *d;
    ptrdiff_t stride, mask_stride;
    int copied;
} filter_block;

SKLVM_INLINE filter_block open_block(const filter_problem *f, const filter_atoms *atoms,
                                     ptrdiff_t n, const ptrdiff_t groups, const int masked) {
    const ptrdiff_t i = atoms->row[n], j = atoms->column[n], size = groups * LANE_COUNT;
    const ptrdiff_t at = i * f->stride + j * f->channels;
    filter_block block = {f->residual + at, masked ? f->mask + at : NULL,
                          f->filters + atoms->filter[n] * f->height * size, f->stride, f->stride, 0};
    if (wraps(f, i, j)) {
        block.copied = 1;
        block.stride = block.mask_stride = size;
        block.r = f->room;
        copy_out(f, f->residual, i, j, f->room);
        if (masked) {
            block.m = f->room + f->height * size;
            copy_out(f, f->mask, i, j, f->room + f->height * size);
        }
    }
    return block;
}

SKLVM_INLINE void subtract_atom(const filter_problem *f, const filter_atoms *atoms, ptrdiff_t n,
                                const filter_block *block, double change, const ptrdiff_t groups,
                                const int masked) {
    block_subtract(block->r, block->stride, block->m, block->mask_stride, block->d, change,
                   f->height, groups, masked);
    if (block->copied) copy_back(f, block->r, atoms->row[n], atoms->column[n], f->residual);
}

SKLVM_INLINE double soft_threshold(double x, double t, const int positive) {
    const double size = (positive ? x : fabs(x)) - t;
    return copysign(size > 0 ? size : 0, positive ? 1 : x);
}

/* Atoms start to end, one after the other, to their minimum of 1/2 |r|^2 + bound |z| + ridge/2 z^2. */
SKLVM_INLINE void descend_atoms(const filter_problem *f, const filter_atoms *atoms,
                                ptrdiff_t start, ptrdiff_t end, const ptrdiff_t groups,
                                const int masked) {
    for (ptrdiff_t n = start; n < end; n++) {
        const filter_block block = open_block(f, atoms, n, groups, masked);
        const double z = atoms->code[n];
        const double u = block_product(block.r, block.stride, block.d, f->height, groups) +
                         atoms->curvature[n] * z;
        const double to =
            soft_threshold(u, f->bound[atoms->filter[n]], f->positive) * atoms->inverse[n];
        if (to == z) continue;
        atoms->code[n] = to;
        subtract_atom(f, atoms, n, &block, to - z, groups, masked);
    }
}

SKLVM_INLINE void subtract_atoms(const filter_problem *f, const filter_atoms *atoms,
                                 const double *factors, ptrdiff_t start, ptrdiff_t end,
                                 const ptrdiff_t groups, const int masked) {
    for (ptrdiff_t n = start; n < end; n++) {
        const filter_block block = open_block(f, atoms, n, groups, masked);
        subtract_atom(f, atoms, n, &block, factors[n], groups, masked);
    }
}

#define BY_GROUPS(call)                      \
    do {                                     \
        const int masked = f->mask != NULL;  \
        if (masked) {                        \
            call(f->groups, 1);              \
        } else if (f->groups == 1) {         \
            call(1, 0);                      \
        } else if (f->groups == 2) {         \
            call(2, 0);                      \
        } else {                             \
            call(f->groups, 0);              \
        }                                    \
    } while (0)

SKLVM_CLONES static void descend(const filter_problem *f, const filter_atoms *atoms,
                                 ptrdiff_t start, ptrdiff_t end) {
#define DESCEND(groups, masked) descend_atoms(f, atoms, start, end, groups, masked)
    BY_GROUPS(DESCEND);
#undef DESCEND
}

/* residual -= sum_n factors_n m d_n */
SKLVM_CLONES static void subtract_all(const filter_problem *f, const filter_atoms *atoms,
                                      const double *factors, ptrdiff_t start, ptrdiff_t end) {
#define SUBTRACT(groups, masked) subtract_atoms(f, atoms, factors, start, end, groups, masked)
    BY_GROUPS(SUBTRACT);
#undef SUBTRACT
}

/* <residual, d> of one atom. */
SKLVM_CLONES static double atom_product(const filter_problem *f, const filter_atoms *atoms,
                                        ptrdiff_t n) {
    const filter_block block = open_block(f, atoms, n, f->groups, 0);
    return f->groups == 1 ? block_product(block.r, block.stride, block.d, f->height, 1)
                          : block_product(block.r, block.stride, block.d, f->height, f->groups);
}

/* sum m d^2 of one atom: its curvature. */
SKLVM_CLONES static double atom_curvature(const filter_problem *f, const filter_atoms *atoms,
                                          ptrdiff_t n) {
    const filter_block block = open_block(f, atoms, n, f->groups, f->mask != NULL);
    const double *m = block.m, *d = block.d;
    lanes sum = lanes_zero();
    for (ptrdiff_t a = 0; a < f->height; a++) {
        for (ptrdiff_t g = 0; g < f->groups * LANE_COUNT; g += LANE_COUNT) {
            const lanes tap = lanes_load(d + g), square = lanes_multiply(tap, tap);
            sum = lanes_add(sum, m ? lanes_multiply(square, lanes_load(m + g)) : square);
        }
        d += f->groups * LANE_COUNT;
        if (m) m += block.mask_stride;
    }
    return lanes_sum(sum);
}

#endif
