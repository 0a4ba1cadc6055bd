// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of virtio-mmio on a CPU's interrupt line
 *
 * A whole zone in small: one CPU, one or two virtio-mmio devices with real
 * queues, and a real line on a hardware pin. The registers are plain memory.
 * Tracepoints tell the devices of each access, before the CPU's next
 * instruction, as a hypervisor would that traps them.
 */
#include <kunit/platform_device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kernel_stat.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <trace/events/rwmmio.h>

#include <asm/irq.h>
#include <asm/loongarch.h>

#include "hwi_line.h"
#include "tests/virtio_mmio_fake.h"
#include "virtio_mmio.h"

#define HWIRQ		INT_HWI2
#define BUFFERS		4
#define ROUNDS		100

/* Only a kernel with a defect waits for it */
#define RESCUE_MS	5000

struct buffer {
	char data;
	struct completion done;
};

struct device_model {
	struct virtio_mmio_fake mmio;
	struct test_zone *zone;
	struct platform_device *pdev;

	/* The driver's side, under a lock that sleeps on PREEMPT_RT */
	spinlock_t lock;
	struct virtqueue *vq;
	struct buffer buffers[BUFFERS];
	int served;
	int config_changes;
	char last;

	/* How much of the queue the device has used */
	u16 used;
};

struct test_zone {
	struct kunit *test;
	struct hwi_line *line;
	int irq;
	struct device_model devices[2];
	unsigned int nr_devices;

	/* What the devices do out of the ordinary */
	bool low_when_read;
	ktime_t low_after;
	unsigned int interrupt_when_written;

	bool high;
	struct hrtimer late;

	/* Accesses to all registers but QUEUE_NOTIFY */
	unsigned int reads, writes;
	ktime_t raised;
	s64 latency_ns;
};

/* ------------------------------------------------------- the devices' side */

static u32 get_reg(struct device_model *dev, unsigned int offset)
{
	return le32_to_cpu(*virtio_mmio_fake_reg(&dev->mmio, offset));
}

static void set_reg(struct device_model *dev, unsigned int offset, u32 value)
{
	*virtio_mmio_fake_reg(&dev->mmio, offset) = cpu_to_le32(value);
}

static bool is_console(struct device_model *dev)
{
	return get_reg(dev, VIRTIO_MMIO_DEVICE_ID) == VIRTIO_MMIO_FAKE_CONSOLE;
}

static bool wants_interrupt(struct test_zone *zone)
{
	for (int i = 0; i < zone->nr_devices; i++)
		if (get_reg(&zone->devices[i], VIRTIO_MMIO_INTERRUPT_STATUS))
			return true;

	return false;
}

static void raise_line(struct test_zone *zone)
{
	hrtimer_try_to_cancel(&zone->late);
	if (zone->high)
		return;

	zone->high = true;
	hwi_line_arm_rescue(zone->line, RESCUE_MS);
	zone->raised = ktime_get();
	hwi_line_raise(zone->line);
}

static void lower_line(struct test_zone *zone)
{
	if (!zone->high)
		return;

	zone->high = false;
	hwi_line_ack(zone->line);
}

static enum hrtimer_restart lower_line_late(struct hrtimer *timer)
{
	lower_line(container_of(timer, struct test_zone, late));

	return HRTIMER_NORESTART;
}

/* The rest of the devices' side has interrupts disabled: there is one CPU */
static void set_status(struct device_model *dev, u32 status)
{
	struct test_zone *zone = dev->zone;

	set_reg(dev, VIRTIO_MMIO_INTERRUPT_STATUS, status);

	if (wants_interrupt(zone))
		raise_line(zone);
	else if (zone->low_after)
		hrtimer_start(&zone->late, zone->low_after, HRTIMER_MODE_REL_PINNED_HARD);
	else
		lower_line(zone);
}

static void raise_status(struct device_model *dev, u32 bits)
{
	guard(irqsave)();
	set_status(dev, get_reg(dev, VIRTIO_MMIO_INTERRUPT_STATUS) | bits);
}

/* Use the oldest buffer that is available, and write to it if @data isn't 0 */
static bool use_buffer(struct device_model *dev, char data)
{
	const struct vring *vring = virtqueue_get_vring(dev->vq);
	struct virtio_device *vdev = dev->vq->vdev;
	u16 head;

	if (dev->used == virtio16_to_cpu(vdev, READ_ONCE(vring->avail->idx)))
		return false;

	head = virtio16_to_cpu(vdev, vring->avail->ring[dev->used % vring->num]);
	if (data)
		*(char *)phys_to_virt(virtio64_to_cpu(vdev, vring->desc[head].addr)) = data;
	vring->used->ring[dev->used % vring->num].id = cpu_to_virtio32(vdev, head);
	vring->used->ring[dev->used % vring->num].len = cpu_to_virtio32(vdev, !!data);
	dev->used++;
	/* The driver must not see it before the rest */
	smp_store_release(&vring->used->idx, cpu_to_virtio16(vdev, dev->used));

	return true;
}

static void block_serve(struct device_model *dev)
{
	bool used = false;

	while (use_buffer(dev, 0))
		used = true;
	if (used)
		raise_status(dev, VIRTIO_MMIO_INT_VRING);
}

static void console_type(struct device_model *dev, char c)
{
	guard(irqsave)();
	if (use_buffer(dev, c))
		raise_status(dev, VIRTIO_MMIO_INT_VRING);
}

static struct device_model *device_at(struct test_zone *zone, const volatile void __iomem *addr,
				      unsigned long *offset)
{
	for (int i = 0; i < zone->nr_devices; i++) {
		*offset = (__force unsigned long)addr - (unsigned long)zone->devices[i].mmio.regs;
		if (*offset < VIRTIO_MMIO_FAKE_SIZE)
			return &zone->devices[i];
	}

	return NULL;
}

static void before_read(void *data, unsigned long caller, unsigned long caller0, u8 width,
			const volatile void __iomem *addr)
{
	struct test_zone *zone = data;
	unsigned long offset;

	guard(irqsave)();
	if (!device_at(zone, addr, &offset))
		return;

	zone->reads++;
	if (offset == VIRTIO_MMIO_INTERRUPT_STATUS && zone->low_when_read)
		lower_line(zone);
}

static void after_write(void *data, unsigned long caller, unsigned long caller0, u64 val,
			u8 width, volatile void __iomem *addr)
{
	struct test_zone *zone = data;
	struct device_model *dev;
	unsigned long offset;

	guard(irqsave)();
	dev = device_at(zone, addr, &offset);
	if (!dev)
		return;

	zone->writes += offset != VIRTIO_MMIO_QUEUE_NOTIFY;

	if (offset == VIRTIO_MMIO_INTERRUPT_ACK)
		set_status(dev, get_reg(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & ~val);
	else if (offset == VIRTIO_MMIO_STATUS && !val)
		set_status(dev, 0);
	else if (offset == VIRTIO_MMIO_QUEUE_NOTIFY && !is_console(dev))
		block_serve(dev);

	if (offset == zone->interrupt_when_written)
		raise_status(dev, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
}

/* ------------------------------------------------------- the drivers' side */

static struct device_model *model_of(const struct device *device)
{
	struct test_zone *zone = kunit_get_current_test()->priv;
	int i = 0;

	while (device != &zone->devices[i].pdev->dev)
		i++;

	return &zone->devices[i];
}

static void __iomem *map_registers(struct platform_device *pdev)
{
	return (__force void __iomem *)model_of(&pdev->dev)->mmio.regs;
}

static void console_offer(struct device_model *dev, struct buffer *buffer)
{
	struct scatterlist sg;

	sg_init_one(&sg, &buffer->data, 1);
	virtqueue_add_inbuf(dev->vq, &sg, 1, buffer, GFP_ATOMIC);
}

/* A console takes what was typed and gives the buffer back */
static void line_driver_callback(struct virtqueue *vq)
{
	struct device_model *dev = vq->vdev->priv;
	struct test_zone *zone = dev->zone;
	struct buffer *buffer;
	unsigned int len;

	zone->latency_ns = ktime_to_ns(ktime_sub(ktime_get(), zone->raised));

	guard(spinlock_irqsave)(&dev->lock);
	while ((buffer = virtqueue_get_buf(vq, &len))) {
		dev->last = buffer->data;
		dev->served++;
		if (is_console(dev))
			console_offer(dev, buffer);
		else
			complete(&buffer->done);
	}
	virtqueue_kick(vq);
}

static int line_driver_probe(struct virtio_device *vdev)
{
	struct device_model *dev = model_of(vdev->dev.parent);

	vdev->priv = dev;
	dev->vq = virtio_find_single_vq(vdev, line_driver_callback, "queue");
	if (IS_ERR(dev->vq))
		return PTR_ERR(dev->vq);

	for (int i = 0; i < BUFFERS && is_console(dev); i++)
		console_offer(dev, &dev->buffers[i]);
	virtio_device_ready(vdev);

	return 0;
}

static void line_driver_remove(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
}

static void line_driver_config_changed(struct virtio_device *vdev)
{
	struct device_model *dev = vdev->priv;

	dev->config_changes++;
}

static const struct virtio_device_id line_ids[] = {
	{ VIRTIO_MMIO_FAKE_CONSOLE, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_MMIO_FAKE_BLOCK, VIRTIO_DEV_ANY_ID },
	{}
};

static struct virtio_driver line_driver = {
	.driver.name	= "virtio_line_kunit",
	.id_table	= line_ids,
	.probe		= line_driver_probe,
	.remove		= line_driver_remove,
	.config_changed	= line_driver_config_changed,
};

/* -------------------------------------------------------------- the tests */

static struct device_model *add_device(struct test_zone *zone, u32 id)
{
	struct device_model *dev = &zone->devices[zone->nr_devices];
	const struct resource irq = DEFINE_RES_IRQ(zone->irq);
	struct kunit *test = zone->test;

	spin_lock_init(&dev->lock);
	for (int i = 0; i < BUFFERS; i++)
		init_completion(&dev->buffers[i].done);
	dev->zone = zone;
	virtio_mmio_fake_init(&dev->mmio, id);
	zone->nr_devices++;

	dev->pdev = kunit_platform_device_alloc(test, "virtio-mmio", PLATFORM_DEVID_AUTO);
	KUNIT_ASSERT_NOT_NULL(test, dev->pdev);
	KUNIT_ASSERT_EQ(test, platform_device_add_resources(dev->pdev, &irq, 1), 0);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, dev->pdev), 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev->vq);

	return dev;
}

/* Whether it was so without the rescue */
static bool served_in_time(struct device_model *dev, int times)
{
	for (int ms = 0; READ_ONCE(dev->served) < times && ms < 2 * RESCUE_MS; ms++)
		fsleep(1000);

	return !hwi_line_was_rescued(dev->zone->line) && dev->served == times;
}

static void assert_served(struct device_model *dev, int times)
{
	KUNIT_ASSERT_TRUE(dev->zone->test, served_in_time(dev, times));
}

static void assert_typed(struct device_model *dev, char c)
{
	int served = dev->served;

	console_type(dev, c);
	assert_served(dev, served + 1);
	KUNIT_ASSERT_EQ(dev->zone->test, dev->last, c);
}

/* Read a block, as it were */
static void assert_block(struct device_model *dev)
{
	struct buffer *buffer = &dev->buffers[0];
	struct scatterlist sg;

	sg_init_one(&sg, &buffer->data, 1);
	reinit_completion(&buffer->done);

	scoped_guard(spinlock_irqsave, &dev->lock) {
		virtqueue_add_outbuf(dev->vq, &sg, 1, buffer, GFP_ATOMIC);
		virtqueue_kick(dev->vq);
	}
	KUNIT_ASSERT_TRUE(dev->zone->test,
			  wait_for_completion_timeout(&buffer->done,
						      msecs_to_jiffies(2 * RESCUE_MS)));
	KUNIT_ASSERT_FALSE(dev->zone->test, hwi_line_was_rescued(dev->zone->line));
}

static bool line_is_open(void)
{
	return read_csr_ecfg() & BIT(HWIRQ);
}

static void console_works(struct kunit *test)
{
	struct device_model *dev = add_device(test->priv, VIRTIO_MMIO_FAKE_CONSOLE);

	for (char c = 'a'; c <= 'z'; c++)
		assert_typed(dev, c);
}

/* A back end that is faster than the driver says so once for several buffers */
static void console_loses_no_burst(struct kunit *test)
{
	struct device_model *dev = add_device(test->priv, VIRTIO_MMIO_FAKE_CONSOLE);

	for (int i = 1; i <= 10; i++) {
		scoped_guard(irqsave)
			for (int j = 0; j < BUFFERS; j++)
				console_type(dev, 'a' + j);
		assert_served(dev, i * BUFFERS);
		KUNIT_EXPECT_EQ(test, dev->last, 'a' + BUFFERS - 1);
	}
}

static void block_device_works(struct kunit *test)
{
	struct device_model *dev = add_device(test->priv, VIRTIO_MMIO_FAKE_BLOCK);

	for (int i = 0; i < 20; i++)
		assert_block(dev);
}

static void devices_share_the_line(struct kunit *test)
{
	struct device_model *console = add_device(test->priv, VIRTIO_MMIO_FAKE_CONSOLE);
	struct device_model *block = add_device(test->priv, VIRTIO_MMIO_FAKE_BLOCK);

	for (char c = 'a'; c <= 'z'; c++) {
		assert_typed(console, c);
		assert_block(block);

		scoped_guard(irqsave) {
			console_type(console, c);
			raise_status(block, VIRTIO_MMIO_INT_CONFIG);
		}
		assert_served(console, 2 * (c - 'a' + 1));
		/* The other device has a thread of its own */
		virtio_synchronize_cbs(block->vq->vdev);
		KUNIT_EXPECT_EQ(test, block->config_changes, c - 'a' + 1);
	}
}

static irqreturn_t not_mine(int irq, void *data)
{
	return IRQ_NONE;
}

static void free_other(void *zone)
{
	free_irq(((struct test_zone *)zone)->irq, zone);
}

/* One that was there first, and whose threading is forced where it is */
static void line_has_another_driver(struct kunit *test)
{
	struct test_zone *zone = test->priv;

	KUNIT_ASSERT_EQ(test, request_irq(zone->irq, not_mine, IRQF_SHARED, "other", zone), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_other, zone), 0);
	assert_typed(add_device(zone, VIRTIO_MMIO_FAKE_CONSOLE), 'o');
}

static void config_and_queue_interrupt_at_once(struct kunit *test)
{
	struct device_model *dev = add_device(test->priv, VIRTIO_MMIO_FAKE_CONSOLE);

	scoped_guard(irqsave) {
		raise_status(dev, VIRTIO_MMIO_INT_CONFIG);
		console_type(dev, 'c');
	}
	assert_served(dev, 1);
	KUNIT_EXPECT_EQ(test, dev->config_changes, 1);
}

static void line_may_go_low_when_read(struct kunit *test)
{
	struct test_zone *zone = test->priv;

	zone->low_when_read = true;
	console_works(test);
}

/* There are interrupts then for which nothing is to do; genirq allows for some */
static void line_may_go_low_late(struct kunit *test)
{
	struct test_zone *zone = test->priv;
	struct device_model *dev = add_device(zone, VIRTIO_MMIO_FAKE_CONSOLE);

	zone->low_after = us_to_ktime(500);
	for (char c = '1'; c <= '5'; c++)
		assert_typed(dev, c);
}

static const struct moment {
	const char *name;
	unsigned int written;
} probe_moments[] = {
	{ "status is set", VIRTIO_MMIO_STATUS },
	{ "features are set", VIRTIO_MMIO_DRIVER_FEATURES },
	{ "queue is set up", VIRTIO_MMIO_QUEUE_NUM },
	{ "queue is enabled", VIRTIO_MMIO_QUEUE_READY },
}, removal_moments[] = {
	{ "device is reset", VIRTIO_MMIO_STATUS },
	{ "queue is disabled", VIRTIO_MMIO_QUEUE_READY },
};

KUNIT_ARRAY_PARAM_DESC(probe_moment, probe_moments, name);
KUNIT_ARRAY_PARAM_DESC(removal_moment, removal_moments, name);

/* Whenever the device interrupts, and however the line was, it works afterwards */
static void early_interrupt_does_no_harm(struct kunit *test)
{
	const struct moment *moment = test->param_value;
	struct test_zone *zone = test->priv;
	struct device_model *dev;

	/* As the kernel has it until somebody requests the line */
	set_csr_ecfg(BIT(HWIRQ));
	zone->interrupt_when_written = moment->written;
	dev = add_device(zone, VIRTIO_MMIO_FAKE_CONSOLE);
	zone->interrupt_when_written = UINT_MAX;

	assert_typed(dev, 'e');
}

static void removal_closes_the_line(struct kunit *test)
{
	const struct moment *moment = test->param_value;
	struct test_zone *zone = test->priv;
	struct device_model *dev = add_device(zone, VIRTIO_MMIO_FAKE_CONSOLE);

	assert_typed(dev, 'r');
	zone->interrupt_when_written = moment->written;
	kunit_platform_device_unregister(test, dev->pdev);

	KUNIT_EXPECT_FALSE(test, line_is_open());
	KUNIT_EXPECT_FALSE(test, hwi_line_was_rescued(zone->line));
	KUNIT_EXPECT_EQ(test, dev->served, 1);
}

/* Nothing makes the thread run before it is waited for */
static void callbacks_are_waited_for(struct kunit *test)
{
	struct test_zone *zone = test->priv;
	struct device_model *dev = add_device(zone, VIRTIO_MMIO_FAKE_CONSOLE);
	struct task_struct *thread = irq_to_desc(zone->irq)->action->thread;

	if (!thread)
		kunit_skip(test, "needs a threaded handler");

	/* It has chosen its priority when it has served something */
	assert_typed(dev, 's');
	sched_set_normal(thread, 19);

	console_type(dev, 't');
	virtio_synchronize_cbs(dev->vq->vdev);
	KUNIT_EXPECT_EQ(test, dev->served, 2);
}

static void suspended_line_keeps_its_interrupt(struct kunit *test)
{
	struct device_model *dev = add_device(test->priv, VIRTIO_MMIO_FAKE_CONSOLE);

	suspend_device_irqs();
	console_type(dev, 's');
	msleep(20);
	KUNIT_EXPECT_EQ(test, dev->served, 0);
	KUNIT_EXPECT_FALSE(test, line_is_open());

	resume_device_irqs();
	assert_served(dev, 1);
}

static int compare_ns(const void *a, const void *b)
{
	return cmp_int(*(const s64 *)a, *(const s64 *)b);
}

/* What an interrupt costs when the device is prompt; "make figures" reads it */
static void interrupt_costs_one_call(struct kunit *test)
{
	struct test_zone *zone = test->priv;
	struct device_model *dev = add_device(zone, VIRTIO_MMIO_FAKE_CONSOLE);
	s64 *latencies = kunit_kcalloc(test, ROUNDS, sizeof(*latencies), GFP_KERNEL);
	unsigned int calls = kstat_irqs_cpu(zone->irq, 0);
	int rounds = 0;
	bool in_time;

	KUNIT_ASSERT_NOT_NULL(test, latencies);
	zone->reads = 0;
	zone->writes = 0;

	do {
		console_type(dev, 'a');
		in_time = served_in_time(dev, rounds + 1);
		latencies[rounds++] = zone->latency_ns;
	} while (in_time && rounds < ROUNDS);

	calls = kstat_irqs_cpu(zone->irq, 0) - calls;
	sort(latencies, rounds, sizeof(*latencies), compare_ns, NULL);
	kunit_info(test, "figures: interrupts %d, calls %u, reads %u, writes %u, median %lld ns\n",
		   rounds, calls, zone->reads, zone->writes, latencies[rounds / 2]);

	KUNIT_EXPECT_EQ(test, calls, ROUNDS);
	KUNIT_EXPECT_EQ(test, zone->reads, ROUNDS);
	KUNIT_EXPECT_EQ(test, zone->writes, ROUNDS);
}

/* ---------------------------------------------------------------- the zone */

static void stop_watching_reads(void *zone)
{
	unregister_trace_rwmmio_read(before_read, zone);
	tracepoint_synchronize_unregister();
}

static void stop_watching_writes(void *zone)
{
	unregister_trace_rwmmio_post_write(after_write, zone);
	tracepoint_synchronize_unregister();
}

static void stop_late(void *late)
{
	hrtimer_cancel(late);
}

static int virtio_line_test_init(struct kunit *test)
{
	struct test_zone *zone = kunit_kzalloc(test, sizeof(*zone), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	test->priv = zone;
	zone->test = test;
	zone->interrupt_when_written = UINT_MAX;

	zone->line = hwi_line_get(test, HWIRQ);
	zone->irq = get_percpu_irq(HWIRQ);
	KUNIT_ASSERT_GT(test, zone->irq, 0);
	if (!can_request_irq(zone->irq, IRQF_SHARED))
		kunit_skip(test, "needs a line that no interrupt controller has");

	hrtimer_setup(&zone->late, lower_line_late, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_late, &zone->late), 0);

	KUNIT_ASSERT_EQ(test, register_trace_rwmmio_read(before_read, zone), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_watching_reads, zone), 0);
	KUNIT_ASSERT_EQ(test, register_trace_rwmmio_post_write(after_write, zone), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_watching_writes, zone), 0);
	kunit_activate_static_stub(test, vm_map_registers, map_registers);

	return 0;
}

/* A zone has one CPU, which is what makes a line that stays high deadly */
static int virtio_line_suite_init(struct kunit_suite *suite)
{
	int err;

	if (!hwi_line_exists()) {
		kunit_mark_skipped(suite, "needs the interrupt controller of QEMU's virt machine");
		return 0;
	}

	err = register_virtio_driver(&line_driver);
	if (err)
		return err;

	err = suspend_disable_secondary_cpus();
	if (err) {
		suspend_enable_secondary_cpus();
		unregister_virtio_driver(&line_driver);
	}

	return err;
}

static void virtio_line_suite_exit(struct kunit_suite *suite)
{
	suspend_enable_secondary_cpus();
	unregister_virtio_driver(&line_driver);
}

static struct kunit_case virtio_line_cases[] = {
	KUNIT_CASE(console_works),
	KUNIT_CASE(console_loses_no_burst),
	KUNIT_CASE(block_device_works),
	KUNIT_CASE(devices_share_the_line),
	KUNIT_CASE(line_has_another_driver),
	KUNIT_CASE(config_and_queue_interrupt_at_once),
	KUNIT_CASE(line_may_go_low_when_read),
	KUNIT_CASE(line_may_go_low_late),
	KUNIT_CASE_PARAM(early_interrupt_does_no_harm, probe_moment_gen_params),
	KUNIT_CASE_PARAM(removal_closes_the_line, removal_moment_gen_params),
	KUNIT_CASE(callbacks_are_waited_for),
	KUNIT_CASE(suspended_line_keeps_its_interrupt),
	KUNIT_CASE(interrupt_costs_one_call),
	{}
};

static struct kunit_suite virtio_line_suite = {
	.name = "loongarch_virtio_line",
	.suite_init = virtio_line_suite_init,
	.suite_exit = virtio_line_suite_exit,
	.init = virtio_line_test_init,
	.test_cases = virtio_line_cases,
};

kunit_test_suite(virtio_line_suite);
