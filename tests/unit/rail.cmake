# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_rail ROOMS count
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rail.c ${CMAKE_CURRENT_LIST_DIR}/scene_files.c)
tally_test(test_rail_catalogue ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rail_catalogue.c)
tally_test(test_rail_cars ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rail_cars.c)
tally_test(test_rail_coarse ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rail_coarse.c)
tally_test(test_rail_single ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rail_single.c)
tally_test(test_rail_joint ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rail_joint.c)
tally_test(test_calibrate ROOMS count SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_calibrate.c)
