# SPDX-License-Identifier: GPL-3.0-or-later
foreach(test datum ties votes)
    tally_test(test_${test} ROOMS align
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${test}.c ${CMAKE_CURRENT_LIST_DIR}/align_ground.c)
endforeach()
tally_test(test_cloud ROOMS align)
