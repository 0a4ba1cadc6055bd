# SPDX-License-Identifier: GPL-2.0-only
"""The workbench behind the Makefile; scripts/README.md says what lives where."""
