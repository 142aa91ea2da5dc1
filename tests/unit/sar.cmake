# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_sar ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_sar.c)
