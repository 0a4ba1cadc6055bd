// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the virtio-mmio transport
 *
 * The whole driver runs on a fake device: the registers are plain memory,
 * which is enough to probe with one queue. Its interrupt line is high until
 * all is acknowledged, and a hard timer plays the CPU that takes it.
 */
#include <kunit/platform_device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/cleanup.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_mmio.h>

#include "../virtio_mmio.h"
#include "virtio_mmio_fake.h"

/* No device acknowledges all of these, so it stands for "not written" */
#define NOT_WRITTEN	0xdead0000

/* A line that has not gone low after so many calls never will */
#define STORM		1000

struct fake_device {
	struct virtio_mmio_fake mmio;
	int irq;
	struct platform_device *pdev;

	/* What plays the CPU, and whether it has the line masked */
	struct hrtimer cpu;
	bool masked;
	bool taking;

	/* The interrupt that comes right after the one that is taken */
	u32 next_status;

	/* What was seen */
	int calls;
	u32 acknowledged_at_once;
	bool freed_with_queue;
};

static int config_changes;

/* What the queue's callback found */
static struct {
	int calls;
	bool in_hardirq;
	bool bh_disabled;
} callback;

static __le32 *reg(struct fake_device *fake, unsigned int offset)
{
	return virtio_mmio_fake_reg(&fake->mmio, offset);
}

static void __iomem *map_fake_registers(struct platform_device *pdev)
{
	struct fake_device *fake = kunit_get_current_test()->priv;

	return (void __iomem *)fake->mmio.regs;
}

/* Takes a lock as drivers do, which sleeps on PREEMPT_RT */
static void fake_driver_callback(struct virtqueue *vq)
{
	static DEFINE_SPINLOCK(lock);

	guard(spinlock_irqsave)(&lock);
	callback.calls++;
	callback.in_hardirq = in_hardirq();
	callback.bh_disabled = softirq_count();
}

static int fake_driver_probe(struct virtio_device *vdev)
{
	struct virtqueue *vq = virtio_find_single_vq(vdev, fake_driver_callback, "queue");

	if (IS_ERR(vq))
		return PTR_ERR(vq);

	/* Something is used from now on, which nobody ever takes out */
	virtqueue_get_vring(vq)->used->idx = cpu_to_virtio16(vdev, 1);

	return 0;
}

static void fake_driver_remove(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
}

static void fake_driver_config_changed(struct virtio_device *vdev)
{
	config_changes++;
}

static const struct virtio_device_id fake_ids[] = {
	{ VIRTIO_MMIO_FAKE_ID, VIRTIO_DEV_ANY_ID },
	{}
};

static struct virtio_driver fake_driver = {
	.driver.name	= "virtio_mmio_kunit",
	.id_table	= fake_ids,
	.probe		= fake_driver_probe,
	.remove		= fake_driver_remove,
	.config_changed	= fake_driver_config_changed,
};

static u32 acknowledged(struct fake_device *fake)
{
	return le32_to_cpu(*reg(fake, VIRTIO_MMIO_INTERRUPT_ACK));
}

static void set_status(struct fake_device *fake, u32 status)
{
	*reg(fake, VIRTIO_MMIO_INTERRUPT_STATUS) = cpu_to_le32(status);
	*reg(fake, VIRTIO_MMIO_INTERRUPT_ACK) = cpu_to_le32(NOT_WRITTEN);
}

static u32 line(struct fake_device *fake)
{
	u32 status = le32_to_cpu(*reg(fake, VIRTIO_MMIO_INTERRUPT_STATUS));
	u32 ack = le32_to_cpu(*reg(fake, VIRTIO_MMIO_INTERRUPT_ACK));

	return ack == NOT_WRITTEN ? status : status & ~ack;
}

/* Takes interrupts as long as the line is high and not masked */
static enum hrtimer_restart take_interrupts(struct hrtimer *timer)
{
	struct fake_device *fake = container_of(timer, struct fake_device, cpu);

	fake->taking = true;
	do {
		generic_handle_irq(fake->irq);
		if (!fake->calls++)
			fake->acknowledged_at_once = acknowledged(fake);
		if (fake->next_status) {
			set_status(fake, fake->next_status);
			fake->next_status = 0;
		}
	} while (line(fake) && !fake->masked && fake->calls < STORM);
	fake->taking = false;

	return HRTIMER_NORESTART;
}

static void mask_line(struct irq_data *d)
{
	struct fake_device *fake = irq_data_get_irq_chip_data(d);

	fake->masked = true;
}

static void unmask_line(struct irq_data *d)
{
	struct fake_device *fake = irq_data_get_irq_chip_data(d);

	fake->masked = false;
	if (line(fake) && !fake->taking)
		hrtimer_start(&fake->cpu, 0, HRTIMER_MODE_REL_PINNED_HARD);
}

static void shut_line_down(struct irq_data *d)
{
	struct fake_device *fake = irq_data_get_irq_chip_data(d);

	fake->freed_with_queue = le32_to_cpu(*reg(fake, VIRTIO_MMIO_QUEUE_READY));
	mask_line(d);
}

static int move_line(struct irq_data *d, const struct cpumask *dest, bool force)
{
	irq_data_update_effective_affinity(d, dest);

	return IRQ_SET_MASK_OK;
}

static struct irq_chip fake_chip = {
	.name			= "virtio_mmio_kunit",
	.irq_mask		= mask_line,
	.irq_unmask		= unmask_line,
	.irq_shutdown		= shut_line_down,
	.irq_set_affinity	= move_line,
};

/*
 * Have the device interrupt with @status, and the handlers done with it. A
 * thread runs on the CPU that takes the interrupt, so not before it has.
 */
static void interrupt(struct fake_device *fake, u32 status)
{
	set_status(fake, status);
	memset(&callback, 0, sizeof(callback));
	fake->calls = 0;

	scoped_guard(preempt) {
		irq_set_affinity(fake->irq, cpumask_of(smp_processor_id()));
		hrtimer_start(&fake->cpu, 0, HRTIMER_MODE_REL_PINNED_HARD);
	}
	do {
		msleep(20);
		synchronize_irq(fake->irq);
	} while (hrtimer_active(&fake->cpu));
	synchronize_irq(fake->irq);
}

static void free_irq_number(void *irq)
{
	irq_free_desc((unsigned long)irq);
}

static int get_irq_number(struct kunit *test, irq_flow_handler_t flow)
{
	int irq = irq_alloc_desc(NUMA_NO_NODE);

	KUNIT_ASSERT_GT(test, irq, 0);
	irq_set_chip_and_handler(irq, &fake_chip, flow);
	irq_set_chip_data(irq, test->priv);
	irq_clear_status_flags(irq, IRQ_NOREQUEST);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_irq_number,
							(void *)(unsigned long)irq), 0);

	return irq;
}

static void spurious_interrupt_is_not_acknowledged(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	interrupt(fake, 0);
	KUNIT_EXPECT_EQ(test, acknowledged(fake), NOT_WRITTEN);
	KUNIT_EXPECT_EQ(test, config_changes, 0);
}

static void interrupt_is_acknowledged_and_handled(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	interrupt(fake, VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, acknowledged(fake), VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, config_changes, 0);

	interrupt(fake, VIRTIO_MMIO_INT_CONFIG | VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, acknowledged(fake),
			VIRTIO_MMIO_INT_CONFIG | VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, config_changes, 1);
}

/* Whoever it is that calls the driver back, the line must not wait for that */
static void interrupt_is_acknowledged_at_once(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	interrupt(fake, VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, fake->acknowledged_at_once, VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, callback.calls, 1);
}

/* Nothing may get in between where threading is not forced */
static void callback_has_its_context(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	interrupt(fake, VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, callback.in_hardirq, !force_irqthreads());
	if (force_irqthreads())
		KUNIT_EXPECT_TRUE(test, callback.bh_disabled);
}

static irqreturn_t other_driver(int irq, void *data)
{
	return IRQ_NONE;
}

/* Another driver on the line need not know about threads */
static void line_is_shared(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	KUNIT_ASSERT_EQ(test, request_irq(fake->irq, other_driver, IRQF_SHARED, "other", fake), 0);
	interrupt(fake, VIRTIO_MMIO_INT_VRING);
	KUNIT_EXPECT_EQ(test, callback.calls, 1);
	free_irq(fake->irq, fake);
}

/* With whatever flow, the line goes low and stays so */
static void handler_is_called_once(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	for (int i = 0; i < 3; i++) {
		interrupt(fake, VIRTIO_MMIO_INT_VRING);
		KUNIT_EXPECT_EQ(test, fake->calls, 1);
		KUNIT_EXPECT_EQ(test, callback.calls, 1);
	}
}

/* The thread, if there is one, may not have run yet when the next one comes */
static void no_interrupt_is_lost(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	fake->next_status = VIRTIO_MMIO_INT_VRING;
	interrupt(fake, VIRTIO_MMIO_INT_CONFIG);
	KUNIT_EXPECT_EQ(test, config_changes, 1);
	KUNIT_EXPECT_EQ(test, callback.calls, 1);
}

static void interrupt_is_freed_before_the_queues(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	kunit_platform_device_unregister(test, fake->pdev);
	KUNIT_EXPECT_TRUE(test, fake->freed_with_queue);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(*reg(fake, VIRTIO_MMIO_QUEUE_READY)), 0);
}

/*
 * The driver must free what it requested. So let the platform give another
 * answer in between: if the driver asks again, it frees the wrong one.
 */
static void interrupt_is_looked_up_once(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	fake->pdev->resource[0] = DEFINE_RES_IRQ(get_irq_number(test, handle_level_irq));
	kunit_platform_device_unregister(test, fake->pdev);

	KUNIT_EXPECT_FALSE(test, irq_has_action(fake->irq));
}

/* The lines of a CPU had no flow that masks them */
static const struct flow {
	const char *name;
	irq_flow_handler_t handler;
} flows[] = {
	{ "level", handle_level_irq },
	{ "never masked", handle_simple_irq },
};

KUNIT_ARRAY_PARAM_DESC(flow, flows, name);

static int virtio_mmio_test_init(struct kunit *test)
{
	struct fake_device *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	const struct flow *flow = test->param_value ?: &flows[0];
	struct resource res;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	config_changes = 0;

	virtio_mmio_fake_init(&fake->mmio, VIRTIO_MMIO_FAKE_ID);
	hrtimer_setup(&fake->cpu, take_interrupts, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
	fake->irq = get_irq_number(test, flow->handler);
	res = DEFINE_RES_IRQ(fake->irq);

	kunit_activate_static_stub(test, vm_map_registers, map_fake_registers);
	fake->pdev = kunit_platform_device_alloc(test, "virtio-mmio", PLATFORM_DEVID_AUTO);
	KUNIT_ASSERT_NOT_NULL(test, fake->pdev);
	KUNIT_ASSERT_EQ(test, platform_device_add_resources(fake->pdev, &res, 1), 0);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, fake->pdev), 0);
	KUNIT_ASSERT_TRUE_MSG(test, irq_has_action(fake->irq), "the driver didn't bind");

	return 0;
}

static int virtio_mmio_suite_init(struct kunit_suite *suite)
{
	return register_virtio_driver(&fake_driver);
}

static void virtio_mmio_suite_exit(struct kunit_suite *suite)
{
	unregister_virtio_driver(&fake_driver);
}

static struct kunit_case virtio_mmio_cases[] = {
	KUNIT_CASE(spurious_interrupt_is_not_acknowledged),
	KUNIT_CASE(interrupt_is_acknowledged_and_handled),
	KUNIT_CASE(interrupt_is_acknowledged_at_once),
	KUNIT_CASE(callback_has_its_context),
	KUNIT_CASE(line_is_shared),
	KUNIT_CASE_PARAM(handler_is_called_once, flow_gen_params),
	KUNIT_CASE_PARAM(no_interrupt_is_lost, flow_gen_params),
	KUNIT_CASE(interrupt_is_freed_before_the_queues),
	KUNIT_CASE(interrupt_is_looked_up_once),
	{}
};

static struct kunit_suite virtio_mmio_suite = {
	.name = "virtio_mmio",
	.suite_init = virtio_mmio_suite_init,
	.suite_exit = virtio_mmio_suite_exit,
	.init = virtio_mmio_test_init,
	.test_cases = virtio_mmio_cases,
};

kunit_test_suite(virtio_mmio_suite);

MODULE_DESCRIPTION("KUnit tests of the virtio-mmio transport");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
