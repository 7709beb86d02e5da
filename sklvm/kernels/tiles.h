/* How the random numbers of a (rows, units) array are laid out over Philox counters.
 *
 * Unit j of row i takes word j % 4 of counter (j / 4, row_offset + i, sweep, layer). A row thus has
 * `groups` = ceil(units / 4) counters. All rows' counters are numbered row by row and cut into tiles
 * of TILE; a tile is one thread's smallest piece of work, and needs nothing from any other.
 */
#ifndef SKLVM_TILES_H
#define SKLVM_TILES_H

#include "philox.h"

#define TILE 256 /* a multiple of PHILOX_LANES */

typedef struct {
    ptrdiff_t rows, units, groups;
    uint32_t row_offset, sweep, layer;
    uint64_t seed;
} stream;

/* Words of one tile, word w of counter i at words[w][i]. */
typedef uint32_t tile_words[4][TILE];

SKLVM_INLINE ptrdiff_t tile_length(const stream *s, ptrdiff_t tile) {
    const ptrdiff_t left = s->rows * s->groups - tile * TILE;
    return left < TILE ? left : TILE;
}

/* `flag` goes to the top bit of the first word: it marks the counters of the low halves of 64-bit
 * numbers, which no unit's own counter can reach. */
SKLVM_INLINE void fill_tile(const stream *s, ptrdiff_t tile, uint32_t flag, tile_words words) {
    const ptrdiff_t n = tile_length(s, tile);
    ptrdiff_t row = tile * TILE / s->groups;
    ptrdiff_t group = tile * TILE % s->groups;
    for (ptrdiff_t i = 0; i < n;) {
        const ptrdiff_t run = s->groups - group < n - i ? s->groups - group : n - i;
        for (ptrdiff_t k = 0; k < run; k++) {
            words[0][i + k] = flag | (uint32_t)(group + k);
            words[1][i + k] = s->row_offset + (uint32_t)row;
        }
        i += run;
        group = 0;
        row++;
    }
    ptrdiff_t padded = n;
    for (; padded % PHILOX_LANES != 0; padded++) words[0][padded] = words[1][padded] = 0;
    for (ptrdiff_t i = 0; i < padded; i++) {
        words[2][i] = s->sweep;
        words[3][i] = s->layer;
    }
    uint32_t *rows[4] = {words[0], words[1], words[2], words[3]};
    philox_block(rows, padded, s->seed);
}

/* The part of a tile that lies in one row: `length` units from unit `unit` of row `row` on, the
 * first of which has counter `counter` of the tile. */
typedef struct {
    ptrdiff_t counter, row, unit, length;
} segment;

SKLVM_INLINE segment first_segment(const stream *s, ptrdiff_t tile) {
    const ptrdiff_t row = tile * TILE / s->groups;
    const ptrdiff_t group = tile * TILE % s->groups;
    const segment part = {0, row, 4 * group, 0};
    return part;
}

/* Sets the length of `part`; 0 at the end of the tile. */
SKLVM_INLINE ptrdiff_t measure_segment(const stream *s, ptrdiff_t n, segment *part) {
    const ptrdiff_t to_row_end = s->units - part->unit;
    const ptrdiff_t to_tile_end = 4 * (n - part->counter);
    part->length = to_row_end < to_tile_end ? to_row_end : to_tile_end;
    return part->length;
}

SKLVM_INLINE void next_segment(segment *part) {
    part->counter += (part->length + 3) / 4;
    part->row += 1;
    part->unit = 0;
}

#endif
