# SPDX-License-Identifier: GPL-3.0-or-later
add_test(NAME hygiene_rooms COMMAND ${CMAKE_CURRENT_LIST_DIR}/rooms.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME hygiene_headers COMMAND ${CMAKE_CURRENT_LIST_DIR}/headers.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME hygiene_format COMMAND ${CMAKE_CURRENT_LIST_DIR}/format.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME hygiene_symbols COMMAND ${CMAKE_CURRENT_LIST_DIR}/symbols.sh $<TARGET_FILE:libtallyman_shared>)
add_test(NAME hygiene_errors COMMAND ${CMAKE_CURRENT_LIST_DIR}/errors.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME hygiene_accuracy COMMAND ${CMAKE_CURRENT_LIST_DIR}/accuracy.sh $<TARGET_FILE:tallyman> WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
