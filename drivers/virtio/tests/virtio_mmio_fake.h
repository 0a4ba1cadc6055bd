/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit helper: the registers of a virtio-mmio device in plain memory
 *
 * That is enough to probe a device which has one queue: QUEUE_READY is there
 * once, not once for each queue. What they do when they are accessed is for
 * the test.
 */
#ifndef _VIRTIO_MMIO_FAKE_H
#define _VIRTIO_MMIO_FAKE_H

#include <linux/bits.h>
#include <linux/types.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_mmio.h>

#include <asm/byteorder.h>

#define VIRTIO_MMIO_FAKE_SIZE	0x200

/* Private ids, so that no other driver binds */
enum {
	VIRTIO_MMIO_FAKE_CONSOLE = 0x7ffd,
	VIRTIO_MMIO_FAKE_BLOCK,
	VIRTIO_MMIO_FAKE_ID,
};

struct virtio_mmio_fake {
	__le32 regs[VIRTIO_MMIO_FAKE_SIZE / sizeof(__le32)];
};

static inline __le32 *virtio_mmio_fake_reg(struct virtio_mmio_fake *fake, unsigned int offset)
{
	return &fake->regs[offset / sizeof(__le32)];
}

static inline void virtio_mmio_fake_init(struct virtio_mmio_fake *fake, u32 id)
{
	*virtio_mmio_fake_reg(fake, VIRTIO_MMIO_MAGIC_VALUE) =
		cpu_to_le32('v' | 'i' << 8 | 'r' << 16 | 't' << 24);
	*virtio_mmio_fake_reg(fake, VIRTIO_MMIO_VERSION) = cpu_to_le32(2);
	*virtio_mmio_fake_reg(fake, VIRTIO_MMIO_DEVICE_ID) = cpu_to_le32(id);
	*virtio_mmio_fake_reg(fake, VIRTIO_MMIO_QUEUE_NUM_MAX) = cpu_to_le32(8);
	/* Read for both halves: feature 0, whatever it is, and VERSION_1 */
	*virtio_mmio_fake_reg(fake, VIRTIO_MMIO_DEVICE_FEATURES) =
		cpu_to_le32(BIT(VIRTIO_F_VERSION_1 - 32));
}

#endif
