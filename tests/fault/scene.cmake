# SPDX-License-Identifier: GPL-3.0-or-later
tally_test(test_hostile_tiles ROOMS scene
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_hostile_tiles.c ${CMAKE_CURRENT_LIST_DIR}/../unit/scene_files.c)
