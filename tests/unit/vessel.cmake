# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_vessel ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_vessel.c)
tally_test(test_hull_ends ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_hull_ends.c)
tally_test(test_jetty ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_jetty.c)
tally_test(test_hull_judge ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_hull_judge.c)
