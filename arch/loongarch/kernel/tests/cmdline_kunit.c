// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what the kernel takes for the firmware's command line
 *
 * They run init_environ() again on a page of their own and put everything
 * back. The kernel has made its own copy of the command line by then.
 */
#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/efi.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/string.h>

#include <asm/bootinfo.h>
#include <asm/setup.h>

static char saved_boot[COMMAND_LINE_SIZE] __initdata;
static char saved_init[COMMAND_LINE_SIZE] __initdata;
static char got_boot[COMMAND_LINE_SIZE] __initdata;
static char got_init[COMMAND_LINE_SIZE] __initdata;

/* Start the kernel with these registers and keep the two lines it makes */
static void __init boot_with(unsigned long a0, unsigned long a1)
{
	unsigned long saved_fw_arg0 = fw_arg0, saved_fw_arg1 = fw_arg1;
	bool saved_efi_boot = efi_enabled(EFI_BOOT);

	memcpy(saved_boot, boot_command_line, COMMAND_LINE_SIZE);
	memcpy(saved_init, init_command_line, COMMAND_LINE_SIZE);
	memset(boot_command_line, 0, COMMAND_LINE_SIZE);
	memset(init_command_line, 0, COMMAND_LINE_SIZE);

	fw_arg0 = a0;
	fw_arg1 = a1;
	init_environ();
	fw_arg0 = saved_fw_arg0;
	fw_arg1 = saved_fw_arg1;
	assign_bit(EFI_BOOT, &efi.flags, saved_efi_boot);

	memcpy(got_boot, boot_command_line, COMMAND_LINE_SIZE);
	memcpy(got_init, init_command_line, COMMAND_LINE_SIZE);
	memcpy(boot_command_line, saved_boot, COMMAND_LINE_SIZE);
	memcpy(init_command_line, saved_init, COMMAND_LINE_SIZE);
}

/* Both lines must be @want, and there is no need to print 4 KiB if not */
static void __init expect_line(struct kunit *test, const char *name, const char *want)
{
	KUNIT_EXPECT_FALSE_MSG(test, strncmp(got_boot, want, COMMAND_LINE_SIZE),
			       "%s: the boot command line is \"%.40s\"", name, got_boot);
	KUNIT_EXPECT_FALSE_MSG(test, strncmp(got_init, want, COMMAND_LINE_SIZE),
			       "%s: its copy is \"%.40s\"", name, got_init);
}

/* Memory behind the longest command line belongs to the page, too */
static char * __init fill_page(struct kunit *test, char fill)
{
	char *page = kunit_kmalloc(test, 2 * COMMAND_LINE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);

	return memset(page, fill, 2 * COMMAND_LINE_SIZE);
}

struct cmdline {
	const char *name;
	const char *line;
};

static const struct cmdline valid[] __initconst = {
	{ "empty", "" },
	{ "one word", "quiet" },
	{ "blanks", "  console=ttyS0,115200  root=/dev/vda " },
	{ "tab and line ends", "quiet\tro\r\n" },
	{ "quotes and dashes", "dyndbg=\"file a.c +p\" -- single" },
	{ "UTF-8", "label=\xe9\xbe\x99\xe8\x8a\xaf" },
	{ "Latin-1", "label=\xe4\xf6\xfc\x9f" },
};

static void __init takes_valid_lines_as_they_are(struct kunit *test)
{
	char *page = fill_page(test, '!');
	int i;

	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		strscpy(page, valid[i].line, COMMAND_LINE_SIZE);

		boot_with(true, virt_to_phys(page));
		expect_line(test, valid[i].name, valid[i].line);

		/* A loader that is no EFI firmware may have one, too */
		boot_with(false, virt_to_phys(page));
		expect_line(test, valid[i].name, valid[i].line);
	}
}

static void __init takes_the_longest_line(struct kunit *test)
{
	char *page = fill_page(test, 'a');

	page[COMMAND_LINE_SIZE - 1] = '\0';
	boot_with(true, virt_to_phys(page));
	expect_line(test, "longest", page);
}

static void __init ignores_an_unterminated_line(struct kunit *test)
{
	char *page = fill_page(test, 'a');

	page[COMMAND_LINE_SIZE] = '\0';
	boot_with(true, virt_to_phys(page));
	expect_line(test, "unterminated", "");
}

static const struct cmdline junk[] __initconst = {
	{ "start of heading", "quiet \x01" },
	{ "bell", "\a" },
	{ "escape", "console=ttyS0 \x1b[31m" },
	{ "delete", "quiet\x7f" },
	{ "ELF", "\177ELF\002\001\001" },
};

static void __init ignores_control_characters(struct kunit *test)
{
	char *page = fill_page(test, '!');
	int i;

	for (i = 0; i < ARRAY_SIZE(junk); i++) {
		strscpy(page, junk[i].line, COMMAND_LINE_SIZE);
		boot_with(true, virt_to_phys(page));
		expect_line(test, junk[i].name, "");
	}
}

/* Can fail only where there is something at physical 0, as there is in QEMU */
static void __init does_not_read_physical_0_without_firmware(struct kunit *test)
{
	boot_with(false, 0);
	expect_line(test, "none", "");
}

static struct kunit_case __refdata cmdline_cases[] = {
	KUNIT_CASE(takes_valid_lines_as_they_are),
	KUNIT_CASE(takes_the_longest_line),
	KUNIT_CASE(ignores_an_unterminated_line),
	KUNIT_CASE(ignores_control_characters),
	KUNIT_CASE(does_not_read_physical_0_without_firmware),
	{}
};

static struct kunit_suite cmdline_suite = {
	.name = "loongarch_cmdline",
	.test_cases = cmdline_cases,
};

kunit_test_init_section_suite(cmdline_suite);
