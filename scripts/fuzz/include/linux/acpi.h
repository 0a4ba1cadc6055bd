/* SPDX-License-Identifier: GPL-2.0-only */
/* ACPICA's own headers, as they are used outside of the kernel */
#include <linux/types.h>
#include <acpi/acpi.h>

#define __counted_by(member)
#define U16_MAX UINT16_MAX
