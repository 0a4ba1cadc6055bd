/* SPDX-License-Identifier: GPL-2.0-only */
/* What the checks in files of their own share with init.c */
#ifndef INIT_H
#define INIT_H

/* How a check went; fail() may be called more than once */
__attribute__((format(printf, 1, 2)))
void ok(const char *format, ...);
__attribute__((format(printf, 1, 2)))
void fail(const char *format, ...);

int write_file(const char *path, const char *text);
int any_entry(const char *path, int (*visit)(const char *entry, const void *arg),
	      const void *arg);

/* given.c */
#define NAME	32
int remember(const char *entry, const void *name);
void take_driver(const char *function);
int give_to(const char *function, const char *driver);
int give_to_vfio(const char *function);
void check_given(char **arg);
void check_exhaust(char **arg);
void check_retype(char **arg);

/* benchmark.c */
void check_benchmark(char **arg);

/* Lines of the kernel's log, files, and disks */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *slurp(const char *path);
int read_some(int fd);
const char *words(char **arg);

/* changes.c */
void check_sleep(char **arg);
void check_plug(char **arg);
void check_vfs(char **arg);
void check_kexec(char **arg);
void check_crash(char **arg);

#endif
