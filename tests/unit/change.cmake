# SPDX-License-Identifier: GPL-3.0-or-later
set(change ${CMAKE_SOURCE_DIR}/lib/change)
tally_test(test_blobs ROOMS base kernels
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_blobs.c ${change}/blobs.c ${change}/morphology.c)
# These bring a tally_stack_read of their own, so they take the files, not the room.
tally_test(test_background ROOMS base kernels
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_background.c ${change}/background.c ${change}/difference.c)
find_package(OpenCV QUIET COMPONENTS core imgproc)
if(TARGET opencv_imgproc)
    tally_test(test_blobs_opencv ROOMS base kernels LIBS opencv_core opencv_imgproc
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_blobs_opencv.cpp ${change}/blobs.c ${change}/morphology.c)
endif()
tally_test(test_diff ROOMS change SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_diff.c)
tally_test(test_model ROOMS change SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_model.c)
tally_test(test_diff_auto ROOMS change SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_diff_auto.c)
if(TARGET opencv_core)
    tally_test(test_irmad_opencv ROOMS change LIBS opencv_core
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_irmad_opencv.cpp)
endif()
