# SPDX-License-Identifier: GPL-3.0-or-later
foreach(check diff gather masks rows temporal)
    tally_test(test_check_${check} ROOMS base kernels SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_check_${check}.c)
endforeach()
