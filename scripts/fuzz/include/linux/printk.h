/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages are formatted, so that their arguments are read, and thrown away */
#include <stdio.h>

#define FW_BUG "[Firmware Bug]: "

__attribute__((format(printf, 1, 2)))
static inline void fuzz_print(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
}

#define pr_err(format, ...)	fuzz_print(pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...)	fuzz_print(pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...)	fuzz_print(pr_fmt(format), ##__VA_ARGS__)
#define pr_debug(format, ...)	fuzz_print(pr_fmt(format), ##__VA_ARGS__)
