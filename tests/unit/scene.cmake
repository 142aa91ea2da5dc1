# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_scene_facts ROOMS scene SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_scene_facts.c)
foreach(test catalogue raster)
    tally_test(test_${test} ROOMS scene
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${test}.c ${CMAKE_CURRENT_LIST_DIR}/scene_files.c)
endforeach()
