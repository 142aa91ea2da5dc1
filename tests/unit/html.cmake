# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_html ROOMS report SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_html.c)
