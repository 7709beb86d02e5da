/* omp_get_max_threads(), 1 in a build without OpenMP. */
#ifndef SKLVM_OPENMP_H
#define SKLVM_OPENMP_H

#ifdef _OPENMP
#include <omp.h>
#else
static inline int omp_get_max_threads(void) { return 1; }
#endif

#endif
