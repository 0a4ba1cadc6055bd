/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit helper: a real level line on a hardware pin of the CPU
 *
 * On QEMU's "virt" machine the extended I/O interrupt controller can hold one
 * of the CPU pins HWI0..HWI3 high until its vector is acknowledged, which is
 * what a device does that is wired straight to the CPU. Everywhere else
 * hwi_line_get() skips the test.
 */
#ifndef _HWI_LINE_H
#define _HWI_LINE_H

#include <linux/types.h>

struct hwi_line;
struct kunit;

bool hwi_line_exists(void);
struct hwi_line *hwi_line_get(struct kunit *test, unsigned int hwirq);
void hwi_line_raise(struct hwi_line *line);
void hwi_line_ack(struct hwi_line *line);
bool hwi_line_is_high(struct hwi_line *line);

void hwi_line_arm_rescue(struct hwi_line *line, unsigned int ms);
bool hwi_line_was_rescued(struct hwi_line *line);

#endif
