/* The passes of topics.h in single and in double precision. */
#ifndef SKLVM_TOPIC_PASSES_H
#define SKLVM_TOPIC_PASSES_H

#define REAL float
#define TOPIC(name) name##_f32
#include "topics.h"
#undef REAL
#undef TOPIC

#define REAL double
#define TOPIC(name) name##_f64
#include "topics.h"
#undef REAL
#undef TOPIC

#endif
