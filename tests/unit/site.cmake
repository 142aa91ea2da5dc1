# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_site ROOMS site SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_site.c)
