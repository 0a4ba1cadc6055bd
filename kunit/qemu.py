# SPDX-License-Identifier: GPL-2.0-only
"""The machine that kunit.py boots (--qemu_config): QEMU's LoongArch virt board."""

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(linux_arch='loongarch',
			   # What the board needs for a console and a power-off, and
			   # big defaults that no suite of ours uses.
			   kconfig='''
CONFIG_EFI_STUB=n
CONFIG_PCI_HOST_GENERIC=y
CONFIG_PVPANIC=y
CONFIG_PVPANIC_PCI=y
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_8250_CONSOLE=y
CONFIG_SERIAL_OF_PLATFORM=y
# CONFIG_HID_SUPPORT is not set
# CONFIG_USB_SUPPORT is not set
''',
			   qemu_arch='loongarch64',
			   kernel_path='arch/loongarch/boot/vmlinux.elf',
			   # An Oops ends the machine: with a lock held, it would hang.
			   kernel_command_line='console=ttyS0 kunit_shutdown=poweroff '
					       'oops=panic panic=-1',
			   extra_qemu_params=[
				   '-machine', 'virt',
				   '-cpu', 'max',
				   '-device', 'pvpanic-pci'])
