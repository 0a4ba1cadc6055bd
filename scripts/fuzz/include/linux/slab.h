/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <linux/err.h>

#define kzalloc_flex(object, array, count)						\
({											\
	typeof(&(object)) __new = calloc(1, sizeof(object) +				\
					 (size_t)(count) * sizeof((object).array[0]));	\
	__new;										\
})
#define kfree(object)		free(object)
