/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtio memory mapped driver: what its tests need to see
 */
#ifndef _DRIVERS_VIRTIO_VIRTIO_MMIO_H
#define _DRIVERS_VIRTIO_VIRTIO_MMIO_H

#include <kunit/visibility.h>

struct platform_device;

#if IS_ENABLED(CONFIG_KUNIT)
void __iomem *vm_map_registers(struct platform_device *pdev);
#endif

#endif
