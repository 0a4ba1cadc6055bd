// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the virtio-mmio transport
 *
 * The whole driver runs on a fake device: the registers are plain memory,
 * which is enough to probe with one queue, and the interrupt is a software
 * one. There is no back end, so nothing ever answers.
 */
#include <kunit/platform_device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_mmio.h>

#include "../virtio_mmio.h"

#define FAKE_ID		0x7fff
#define REGS_SIZE	0x200

/* No device acknowledges all of these, so it stands for "not written" */
#define NOT_WRITTEN	0xdead0000

struct fake_device {
	__le32 regs[REGS_SIZE / sizeof(__le32)];
	int irq;
	struct platform_device *pdev;
};

static int config_changes;

static __le32 *reg(struct fake_device *fake, unsigned int offset)
{
	return &fake->regs[offset / sizeof(__le32)];
}

static void __iomem *map_fake_registers(struct platform_device *pdev)
{
	struct fake_device *fake = kunit_get_current_test()->priv;

	return (void __iomem *)fake->regs;
}

static int fake_driver_probe(struct virtio_device *vdev)
{
	return PTR_ERR_OR_ZERO(virtio_find_single_vq(vdev, NULL, "queue"));
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
	{ FAKE_ID, VIRTIO_DEV_ANY_ID },
	{}
};

static struct virtio_driver fake_driver = {
	.driver.name	= "virtio_mmio_kunit",
	.id_table	= fake_ids,
	.probe		= fake_driver_probe,
	.remove		= fake_driver_remove,
	.config_changed	= fake_driver_config_changed,
};

static void free_irq_number(void *irq)
{
	irq_free_desc((unsigned long)irq);
}

static int get_irq_number(struct kunit *test)
{
	int irq = irq_alloc_desc(NUMA_NO_NODE);

	KUNIT_ASSERT_GT(test, irq, 0);
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	irq_clear_status_flags(irq, IRQ_NOREQUEST);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_irq_number,
							(void *)(unsigned long)irq), 0);

	return irq;
}

/* Have the device interrupt with @status, and the handler done with it */
static void interrupt(struct fake_device *fake, u32 status)
{
	unsigned long flags;

	*reg(fake, VIRTIO_MMIO_INTERRUPT_STATUS) = cpu_to_le32(status);
	*reg(fake, VIRTIO_MMIO_INTERRUPT_ACK) = cpu_to_le32(NOT_WRITTEN);

	local_irq_save(flags);
	generic_handle_irq(fake->irq);
	local_irq_restore(flags);
	synchronize_irq(fake->irq);
}

static u32 acknowledged(struct fake_device *fake)
{
	return le32_to_cpu(*reg(fake, VIRTIO_MMIO_INTERRUPT_ACK));
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

/*
 * The driver must free what it requested. So let the platform give another
 * answer in between: if the driver asks again, it frees the wrong one.
 */
static void interrupt_is_looked_up_once(struct kunit *test)
{
	struct fake_device *fake = test->priv;

	fake->pdev->resource[0] = DEFINE_RES_IRQ(get_irq_number(test));
	kunit_platform_device_unregister(test, fake->pdev);

	KUNIT_EXPECT_FALSE(test, irq_has_action(fake->irq));
}

static int virtio_mmio_test_init(struct kunit *test)
{
	struct fake_device *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	struct resource res;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	config_changes = 0;

	*reg(fake, VIRTIO_MMIO_MAGIC_VALUE) = cpu_to_le32('v' | 'i' << 8 | 'r' << 16 | 't' << 24);
	*reg(fake, VIRTIO_MMIO_VERSION) = cpu_to_le32(2);
	*reg(fake, VIRTIO_MMIO_DEVICE_ID) = cpu_to_le32(FAKE_ID);
	*reg(fake, VIRTIO_MMIO_QUEUE_NUM_MAX) = cpu_to_le32(8);
	/* Read for both halves: feature 0, whatever it is, and VERSION_1 */
	*reg(fake, VIRTIO_MMIO_DEVICE_FEATURES) = cpu_to_le32(BIT(VIRTIO_F_VERSION_1 - 32));

	fake->irq = get_irq_number(test);
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
