# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_yard ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_yard.c)
tally_test(test_yard_tiers ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_yard_tiers.c)
tally_test(test_store_columns ROOMS store series SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_store_columns.c)
