# SPDX-License-Identifier: GPL-2.0-only
#
# The whole interface of the workbench; every target is described by "make help"
# and done by scripts/bench.

# Variables that a user may give; help describes each.
export BASE LANE SUITE ROW TIMES KSRC LLVM CROSS_COMPILE J V N ZONE OF PATCH SUBJECT FROM \
       SIGNOFF REROLL CACHE

main   := all check
steps  := fetch apply build build-root build-nonroot qemu boot boot-root boot-nonroot kunit shell
series := sync edit status rebase send
checks := check-series check-style check-kunit check-boot check-bisect check-proofs \
	  check-bases check-tools check-zones check-debug check-tables zones-table fuzz baseline \
	  figures map-figures
other  := doctor clean distclean help

.DEFAULT_GOAL := all
.PHONY: $(main) $(steps) $(series) $(checks) $(other)

# One command at a time in a checkout: the steps share their trees.
.NOTPARALLEL:

$(main) $(steps) $(series) $(checks) $(other):
	@PYTHONDONTWRITEBYTECODE=1 python3 scripts/bench $@
