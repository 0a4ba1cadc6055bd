// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the CPU's interrupt lines
 *
 * A real line on a hardware pin plays a device that is wired to the CPU. Each
 * test arms the helper's rescue before it raises the line: on a kernel with
 * a defect nothing but a hard timer may run again.
 */
#include <kunit/test.h>
#include <linux/bitfield.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kallsyms.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include <asm/hvisor.h>
#include <asm/irq.h>
#include <asm/loongarch.h>

#include "hwi_line.h"

/* One of the lines that the kernel opens on all CPUs, whoever handles it */
#define HWIRQ		INT_HWI2
#define WIRED_CPU	0
#define OTHER_CPU	1

/* Only a kernel with a defect waits for it */
#define RESCUE_MS	5000
/* Longer than a tick, which is what makes a kernel look at its lines again */
#define WAIT_MS		50

struct hwi_device {
	struct kunit *test;
	struct hwi_line *line;
	unsigned int irq;
	/* How often the handlers were called */
	int primary;
	int served;
};

static struct hwi_device *new_device(struct kunit *test)
{
	struct hwi_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	int irq;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->test = test;
	dev->line = hwi_line_get(test, HWIRQ);
	irq = get_percpu_irq(HWIRQ);
	KUNIT_ASSERT_GT(test, irq, 0);
	if (!can_request_irq(irq, 0))
		kunit_skip(test, "needs a line that no interrupt controller has");
	dev->irq = irq;

	return dev;
}

/* What a driver does whose device is content when it is served */
static irqreturn_t serve(int irq, void *data)
{
	struct hwi_device *dev = data;

	if (!hwi_line_is_high(dev->line))
		return IRQ_NONE;

	dev->served++;
	hwi_line_ack(dev->line);

	return IRQ_HANDLED;
}

static irqreturn_t wake_thread(int irq, void *data)
{
	struct hwi_device *dev = data;

	dev->primary++;

	return IRQ_WAKE_THREAD;
}

static irqreturn_t serve_slowly(int irq, void *data)
{
	msleep(20);

	return serve(irq, data);
}

static void stop_driver(void *data)
{
	struct hwi_device *dev = data;

	free_irq(dev->irq, dev);
}

static void start_driver(struct hwi_device *dev, irq_handler_t handler, irq_handler_t thread,
			 unsigned long flags)
{
	struct kunit *test = dev->test;

	KUNIT_ASSERT_EQ(test, request_threaded_irq(dev->irq, handler, thread, flags,
						   "cpuintc_kunit", dev), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_driver, dev), 0);
}

static void raise(struct hwi_device *dev)
{
	hwi_line_arm_rescue(dev->line, RESCUE_MS);
	hwi_line_raise(dev->line);
}

/* Have @dev interrupt, and give the kernel time to do something wrong */
static void interrupt(struct hwi_device *dev)
{
	raise(dev);
	msleep(WAIT_MS);
}

/* As often as that, no later than the rescue, and no more often then */
static void expect_served(struct hwi_device *dev, int times)
{
	unsigned long end = jiffies + msecs_to_jiffies(2 * RESCUE_MS);

	while (READ_ONCE(dev->served) < times && time_before(jiffies, end))
		fsleep(1000);
	msleep(WAIT_MS);

	KUNIT_EXPECT_EQ(dev->test, dev->served, times);
	KUNIT_EXPECT_FALSE(dev->test, hwi_line_was_rescued(dev->line));
}

static void expect_interrupt_served(struct hwi_device *dev, int times)
{
	raise(dev);
	expect_served(dev, times);
}

static bool line_is_open(void)
{
	return read_csr_ecfg() & BIT(HWIRQ);
}

/* Under forced threading it is the thread that serves */
static void line_is_served_once(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, 0);

	for (int i = 1; i <= 3; i++)
		expect_interrupt_served(dev, i);
}

static void masked_line_is_not_dispatched(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, IRQF_NO_THREAD);

	clear_csr_ecfg(BIT(HWIRQ));
	interrupt(dev);
	KUNIT_EXPECT_EQ(test, dev->served, 0);

	set_csr_ecfg(BIT(HWIRQ));
	expect_served(dev, 1);
}

static void unmapped_line_is_masked(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);
	int errors = atomic_read(&irq_err_count);

	irq_dispose_mapping(dev->irq);
	set_csr_ecfg(BIT(HWIRQ));
	interrupt(dev);

	KUNIT_EXPECT_FALSE(test, line_is_open());
	KUNIT_EXPECT_EQ(test, atomic_read(&irq_err_count), errors + 1);
	KUNIT_EXPECT_TRUE(test, hwi_line_is_high(dev->line));
	hwi_line_ack(dev->line);
	expect_served(dev, 0);
}

/* A driver that comes late finds a line that works */
static void line_without_driver_is_masked(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	set_csr_ecfg(BIT(HWIRQ));
	interrupt(dev);
	KUNIT_EXPECT_FALSE(test, line_is_open());
	KUNIT_EXPECT_FALSE(test, hwi_line_was_rescued(dev->line));

	hwi_line_arm_rescue(dev->line, RESCUE_MS);
	start_driver(dev, serve, NULL, 0);
	expect_served(dev, 1);
}

static void disabled_line_is_not_served(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, 0);

	disable_irq(dev->irq);
	interrupt(dev);
	KUNIT_EXPECT_EQ(test, dev->served, 0);
	KUNIT_EXPECT_FALSE(test, line_is_open());

	enable_irq(dev->irq);
	expect_served(dev, 1);
}

static void suspended_line_is_not_served(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, 0);
	suspend_device_irqs();
	interrupt(dev);
	KUNIT_EXPECT_EQ(test, dev->served, 0);
	KUNIT_EXPECT_FALSE(test, line_is_open());

	resume_device_irqs();
	expect_served(dev, 1);
}

static void line_wakes_the_system(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, 0);
	KUNIT_ASSERT_EQ(test, enable_irq_wake(dev->irq), 0);
	suspend_device_irqs();
	pm_wakeup_clear(0);
	interrupt(dev);
	KUNIT_EXPECT_TRUE(test, pm_wakeup_pending());
	KUNIT_EXPECT_EQ(test, dev->served, 0);

	resume_device_irqs();
	expect_served(dev, 1);
	pm_wakeup_clear(0);
	KUNIT_EXPECT_EQ(test, disable_irq_wake(dev->irq), 0);
}

static void freed_line_is_closed(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, 0);
	KUNIT_EXPECT_TRUE(test, line_is_open());
	kunit_release_action(test, stop_driver, dev);
	KUNIT_EXPECT_FALSE(test, line_is_open());

	interrupt(dev);
	hwi_line_ack(dev->line);
	expect_served(dev, 0);
}

/* The line stays high until the thread has run, and so it stays masked */
static void oneshot_thread_runs(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, wake_thread, serve_slowly, IRQF_ONESHOT);

	for (int i = 1; i <= 3; i++) {
		expect_interrupt_served(dev, i);
		KUNIT_EXPECT_EQ(test, dev->primary, i);
	}
}

static irqreturn_t not_mine(int irq, void *data)
{
	return IRQ_NONE;
}

static void shared_line_is_served(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, IRQF_SHARED);
	KUNIT_ASSERT_EQ(test, request_irq(dev->irq, not_mine, IRQF_SHARED, "other", test), 0);

	expect_interrupt_served(dev, 1);

	/* Whoever stays has the line */
	free_irq(dev->irq, test);
	expect_interrupt_served(dev, 2);
}

static void unquiet(void *was)
{
	suppress_printk = (long)was;
}

/* "nobody cared", which is not to be printed here */
static void stuck_line_is_shut_off(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);
	unsigned long start = jiffies;

	start_driver(dev, not_mine, NULL, IRQF_NO_THREAD);
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, unquiet, (void *)(long)suppress_printk), 0);
	suppress_printk = 1;
	hwi_line_arm_rescue(dev->line, 20000);
	hwi_line_raise(dev->line);
	while (line_is_open() && time_before(jiffies, start + 30 * HZ))
		cpu_relax();
	suppress_printk = 0;

	KUNIT_EXPECT_FALSE(test, line_is_open());
	hwi_line_ack(dev->line);
	expect_served(dev, 0);
}

static void only_high_level_is_accepted(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	KUNIT_EXPECT_TRUE(test, irqd_is_level_type(irq_get_irq_data(dev->irq)));
	start_driver(dev, serve, NULL, IRQF_TRIGGER_HIGH);
	expect_interrupt_served(dev, 1);

	KUNIT_EXPECT_EQ(test, irq_set_irq_type(dev->irq, IRQ_TYPE_LEVEL_LOW), -EINVAL);
	KUNIT_EXPECT_EQ(test, irq_set_irq_type(dev->irq, IRQ_TYPE_EDGE_FALLING), -EINVAL);
	KUNIT_EXPECT_EQ(test, irq_set_irq_type(dev->irq, IRQ_TYPE_EDGE_BOTH), -EINVAL);
	KUNIT_EXPECT_EQ(test, irq_get_trigger_type(dev->irq), IRQ_TYPE_LEVEL_HIGH);
}

/* hvisor's driver asks for it, and got a level all the time */
static void rising_edge_is_taken_as_level(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	start_driver(dev, serve, NULL, IRQF_TRIGGER_RISING);
	KUNIT_EXPECT_EQ(test, irq_get_trigger_type(dev->irq), IRQ_TYPE_LEVEL_HIGH);
	expect_interrupt_served(dev, 1);
}

static void need_two_cpus(struct kunit *test)
{
	if (!cpu_online(OTHER_CPU))
		kunit_skip(test, "needs a second CPU");
}

static int enable_from_here(void *dev)
{
	enable_irq(((struct hwi_device *)dev)->irq);

	return 0;
}

static int open_from_here(void *unused)
{
	set_csr_ecfg(BIT(HWIRQ));

	return 0;
}

static int request_from_here(void *data)
{
	struct hwi_device *dev = data;

	return request_irq(dev->irq, serve, 0, "cpuintc_kunit", dev);
}

static int free_from_here(void *data)
{
	stop_driver(data);

	return 0;
}

static long line_is_open_here(void *unused)
{
	return line_is_open();
}

static bool line_is_open_on_the_other(void)
{
	return work_on_cpu(OTHER_CPU, line_is_open_here, NULL);
}

static void line_is_unmasked_where_it_is_wired(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	need_two_cpus(test);
	start_driver(dev, serve, NULL, 0);
	disable_irq(dev->irq);
	interrupt(dev);
	KUNIT_EXPECT_EQ(test, dev->served, 0);

	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(OTHER_CPU, enable_from_here, dev, false), 0);
	expect_served(dev, 1);
	KUNIT_EXPECT_TRUE(test, line_is_open());
	KUNIT_EXPECT_FALSE(test, line_is_open_on_the_other());
}

static void line_is_requested_on_the_other_cpu(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	need_two_cpus(test);
	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(OTHER_CPU, request_from_here, dev, false), 0);
	expect_interrupt_served(dev, 1);
	KUNIT_EXPECT_FALSE(test, line_is_open_on_the_other());

	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(OTHER_CPU, free_from_here, dev, false), 0);
	KUNIT_EXPECT_FALSE(test, line_is_open());
	interrupt(dev);
	hwi_line_ack(dev->line);
	expect_served(dev, 1);
}

static void line_is_closed_on_the_other_cpu(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	need_two_cpus(test);
	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(OTHER_CPU, open_from_here, NULL, false), 0);
	KUNIT_EXPECT_TRUE(test, line_is_open_on_the_other());

	start_driver(dev, serve, NULL, 0);
	KUNIT_EXPECT_FALSE(test, line_is_open_on_the_other());
	expect_interrupt_served(dev, 1);
}

static void affinity_is_that_of_the_wire(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);
	const struct cpumask *effective;

	need_two_cpus(test);
	start_driver(dev, serve, NULL, 0);
	effective = irq_data_get_effective_affinity_mask(irq_get_irq_data(dev->irq));

	KUNIT_EXPECT_TRUE(test, cpumask_equal(effective, cpumask_of(WIRED_CPU)));
	KUNIT_EXPECT_EQ(test, irq_set_affinity(dev->irq, cpumask_of(OTHER_CPU)), -EINVAL);
	KUNIT_EXPECT_EQ(test, irq_set_affinity(dev->irq, cpu_online_mask), 0);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(effective, cpumask_of(WIRED_CPU)));
	expect_interrupt_served(dev, 1);
}

static void new_cpu_does_not_open_the_line(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	need_two_cpus(test);
	if (!IS_ENABLED(CONFIG_HOTPLUG_CPU) || !cpu_is_hotpluggable(OTHER_CPU))
		kunit_skip(test, "needs a second CPU that can go offline");

	start_driver(dev, serve, NULL, 0);
	KUNIT_ASSERT_EQ(test, remove_cpu(OTHER_CPU), 0);
	expect_interrupt_served(dev, 1);

	KUNIT_ASSERT_EQ(test, add_cpu(OTHER_CPU), 0);
	KUNIT_EXPECT_FALSE(test, line_is_open_on_the_other());
	expect_interrupt_served(dev, 2);
}

static void count_open_avec_line(void *open)
{
	if (read_csr_ecfg() & BIT(INT_AVEC))
		atomic_inc(open);
}

/* It's open if there is a controller, and its table was found */
static void avec_line_is_open_on_all_cpus(struct kunit *test)
{
	atomic_t open = ATOMIC_INIT(0);

	on_each_cpu(count_open_avec_line, &open, 1);
	if (!atomic_read(&open))
		kunit_skip(test, "needs the AVEC interrupt controller");

	KUNIT_EXPECT_EQ(test, atomic_read(&open), num_online_cpus());
}

/* csrrd, csrwr and csrxchg differ in a register number */
#define CSR_OPCODE	0x04
#define CSR_NUMBER	GENMASK(23, 10)

static unsigned int csr_instructions(struct kunit *test, const char *function, unsigned int csr)
{
	unsigned long start = kallsyms_lookup_name(function), size, offset;
	unsigned int count = 0;

	KUNIT_ASSERT_TRUE(test, start && kallsyms_lookup_size_offset(start, &size, &offset));

	for (const u32 *insn = (void *)start; insn < (u32 *)(start + size); insn++)
		count += *insn >> 24 == CSR_OPCODE && FIELD_GET(CSR_NUMBER, *insn) == csr;

	return count;
}

/* Each may be a trap under a hypervisor */
static void interrupt_costs_two_csr_reads(struct kunit *test)
{
	const char *function = "handle_cpu_irq";

	KUNIT_EXPECT_EQ(test, csr_instructions(test, function, LOONGARCH_CSR_ESTAT), 1);
	KUNIT_EXPECT_EQ(test, csr_instructions(test, function, LOONGARCH_CSR_ECFG), 1);
}

static struct {
	unsigned int calls;
	unsigned int code;
	u64 lines;
	bool is_open;
} hypervisor;

static long fake_hypercall(unsigned int code, u64 arg0, u64 arg1)
{
	hypervisor.calls++;
	hypervisor.code = code;
	hypervisor.lines = arg0;
	hypervisor.is_open = read_csr_ecfg() & BIT(HWIRQ);

	return 0;
}

static struct hvisor_fake zone = {
	.call		= fake_hypercall,
	.features	= HVISOR_FEATURE_IRQ_EOI,
};

/* Before the line is opened, or it would interrupt once more */
static void hypervisor_is_told_of_the_end(struct kunit *test)
{
	struct hwi_device *dev = new_device(test);

	if (!IS_ENABLED(CONFIG_HVISOR_GUEST))
		kunit_skip(test, "this kernel can't be in a zone");

	memset(&hypervisor, 0, sizeof(hypervisor));
	zone.test = test;
	hvisor_set_fake(&zone);
	/* The line is opened for the first time; the fake is of this task alone */
	start_driver(dev, serve, NULL, 0);
	hvisor_set_fake(NULL);

	KUNIT_EXPECT_EQ(test, hypervisor.calls, 1);
	KUNIT_EXPECT_EQ(test, hypervisor.code, HVISOR_CALL_IRQ_EOI);
	KUNIT_EXPECT_EQ(test, hypervisor.lines, BIT(HWIRQ - INT_HWI0));
	KUNIT_EXPECT_FALSE(test, hypervisor.is_open);
	expect_interrupt_served(dev, 1);
}

static struct kunit_case cpuintc_cases[] = {
	KUNIT_CASE(line_is_served_once),
	KUNIT_CASE(masked_line_is_not_dispatched),
	KUNIT_CASE(unmapped_line_is_masked),
	KUNIT_CASE(line_without_driver_is_masked),
	KUNIT_CASE(disabled_line_is_not_served),
	KUNIT_CASE(suspended_line_is_not_served),
	KUNIT_CASE(line_wakes_the_system),
	KUNIT_CASE(freed_line_is_closed),
	KUNIT_CASE(oneshot_thread_runs),
	KUNIT_CASE(shared_line_is_served),
	KUNIT_CASE(stuck_line_is_shut_off),
	KUNIT_CASE(only_high_level_is_accepted),
	KUNIT_CASE(rising_edge_is_taken_as_level),
	KUNIT_CASE(line_is_unmasked_where_it_is_wired),
	KUNIT_CASE(line_is_requested_on_the_other_cpu),
	KUNIT_CASE(line_is_closed_on_the_other_cpu),
	KUNIT_CASE(affinity_is_that_of_the_wire),
	KUNIT_CASE(new_cpu_does_not_open_the_line),
	KUNIT_CASE(hypervisor_is_told_of_the_end),
	KUNIT_CASE(avec_line_is_open_on_all_cpus),
	KUNIT_CASE(interrupt_costs_two_csr_reads),
	{}
};

static void cpuintc_test_exit(struct kunit *test)
{
	hvisor_set_fake(NULL);
}

static struct kunit_suite cpuintc_suite = {
	.name = "loongarch_cpuintc",
	.exit = cpuintc_test_exit,
	.test_cases = cpuintc_cases,
};

kunit_test_suite(cpuintc_suite);
