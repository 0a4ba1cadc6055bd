/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#define sort(base, count, size, compare, swap)	qsort(base, count, size, compare)
