// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit helper: a real level line on a hardware pin of the CPU
 *
 * The line is one spare vector of QEMU's extended I/O interrupt controller,
 * the highest, raised through the MSI doorbell. The vectors of its group are
 * moved to the wanted pin while a test holds the line. This does not model a
 * device: raising and acknowledging is up to the test.
 */
#include <kunit/test.h>
#include <linux/bitfield.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/of.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include <asm/loongarch.h>

#include "hwi_line.h"

/* Registers of the controller, in IOCSR space; the status is one per core */
#define EIOINTC_IPMAP_HIGH		0x14c4	/* groups 4..7, a byte each */
#define  EIOINTC_IPMAP_GROUP7		GENMASK(31, 24)
#define EIOINTC_ISR_HIGH		0x1818	/* vectors 192..255 */
#define  EIOINTC_ISR_VECTOR		BIT_ULL(VECTOR - 192)

#define VECTOR				255
#define MSI_DOORBELL			0x2ff00000

/* The controller's initial route for every vector */
#define ROUTED_CPU			0

struct hwi_line {
	struct kunit *test;
	unsigned int hwirq;
	void __iomem *doorbell;
	u32 saved_ipmap;
	struct hrtimer rescue;
	bool rescued;
};

static void hwi_line_disconnect(void *data)
{
	struct hwi_line *line = data;

	hwi_line_ack(line);
	iocsr_write32(line->saved_ipmap, EIOINTC_IPMAP_HIGH);
}

/* Runs in a thread of its own, on whatever CPU */
static void hwi_line_put(void *data)
{
	struct hwi_line *line = data;

	smp_call_function_single(ROUTED_CPU, hwi_line_disconnect, line, 1);
	hrtimer_cancel(&line->rescue);
	iounmap(line->doorbell);

	KUNIT_EXPECT_FALSE_MSG(line->test, line->rescued,
			       "nobody acknowledged the line, the rescue timer did");
}

static enum hrtimer_restart hwi_line_rescue(struct hrtimer *timer)
{
	struct hwi_line *line = container_of(timer, struct hwi_line, rescue);

	if (hwi_line_is_high(line)) {
		line->rescued = true;
		hwi_line_ack(line);
	}

	return HRTIMER_NORESTART;
}

/**
 * hwi_line_exists() - Ask whether hwi_line_get() can have a line
 *
 * Context: Any.
 * Return: Whether the machine has the interrupt controller for it.
 */
bool hwi_line_exists(void)
{
	return of_machine_is_compatible("linux,dummy-loongson3");
}

/**
 * hwi_line_get() - Take the line and connect it to a pin of the CPU
 * @test: The test that holds the line until it ends.
 * @hwirq: The pin, INT_HWI2 or INT_HWI3. The others are in use.
 *
 * Moves the test's thread to the CPU that owns the line.
 *
 * Context: Process context, may sleep.
 * Return: The line, low. Does not return where there is no such line.
 */
struct hwi_line *hwi_line_get(struct kunit *test, unsigned int hwirq)
{
	struct hwi_line *line;

	if (!hwi_line_exists())
		kunit_skip(test, "needs the interrupt controller of QEMU's virt machine");

	KUNIT_ASSERT_TRUE(test, hwirq == INT_HWI2 || hwirq == INT_HWI3);

	line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, line);

	line->test = test;
	line->hwirq = hwirq;
	line->doorbell = ioremap(MSI_DOORBELL, sizeof(u32));
	KUNIT_ASSERT_TRUE(test, !!line->doorbell);

	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(ROUTED_CPU)), 0);

	line->saved_ipmap = iocsr_read32(EIOINTC_IPMAP_HIGH);
	iocsr_write32(u32_replace_bits(line->saved_ipmap, BIT(hwirq - INT_HWI0),
				       EIOINTC_IPMAP_GROUP7), EIOINTC_IPMAP_HIGH);
	hrtimer_setup(&line->rescue, hwi_line_rescue, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, hwi_line_put, line), 0);
	KUNIT_ASSERT_FALSE(test, hwi_line_is_high(line));

	return line;
}

/**
 * hwi_line_raise() - Drive the line high until it is acknowledged
 * @line: The line.
 *
 * Arm the rescue first: a kernel with a defect may never run the test again.
 *
 * Context: Any, on the line's CPU.
 */
void hwi_line_raise(struct hwi_line *line)
{
	writel(VECTOR, line->doorbell);
}

/**
 * hwi_line_ack() - Let the line go low, as a device does when it is served
 * @line: The line.
 *
 * Context: Any, on the line's CPU.
 */
void hwi_line_ack(struct hwi_line *line)
{
	iocsr_write64(EIOINTC_ISR_VECTOR, EIOINTC_ISR_HIGH);
}

/**
 * hwi_line_is_high() - Look at the pin as the CPU sees it
 * @line: The line.
 *
 * Context: Any, on the line's CPU.
 * Return: Whether the interrupt is pending, masked or not.
 */
bool hwi_line_is_high(struct hwi_line *line)
{
	return read_csr_estat() & BIT(line->hwirq);
}

/**
 * hwi_line_arm_rescue() - Acknowledge the line later if nobody else does
 * @line: The line.
 * @ms: How long from now.
 *
 * A kernel that cannot get past the line hangs without this. With it the test
 * goes on after @ms and fails when it ends.
 *
 * Context: Any, on the line's CPU.
 */
void hwi_line_arm_rescue(struct hwi_line *line, unsigned int ms)
{
	hrtimer_start(&line->rescue, ms_to_ktime(ms), HRTIMER_MODE_REL_PINNED_HARD);
}

/**
 * hwi_line_was_rescued() - Ask whether the rescue had to acknowledge the line
 * @line: The line.
 *
 * The caller takes over the blame: the test doesn't fail for it any more.
 *
 * Context: Process context, may sleep.
 * Return: Whether it had.
 */
bool hwi_line_was_rescued(struct hwi_line *line)
{
	hrtimer_cancel(&line->rescue);

	return xchg(&line->rescued, false);
}
