# SPDX-License-Identifier: GPL-3.0-or-later
foreach(test spikes visits series_csv compare review)
    tally_test(test_${test} ROOMS series
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${test}.c)
endforeach()
