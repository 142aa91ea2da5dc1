# SPDX-License-Identifier: GPL-3.0-or-later
# Whole runs on the fixture tiles, through the program as a user calls it.
file(GLOB fixture_sets ${CMAKE_SOURCE_DIR}/fixtures/sets/*)
foreach(set IN LISTS fixture_sets)
    get_filename_component(name ${set} NAME)
    add_test(NAME cli_same_bytes_${name}
             COMMAND ${CMAKE_CURRENT_LIST_DIR}/same_bytes.sh $<TARGET_FILE:tallyman> ${set})
    add_test(NAME cli_finds_spikes_${name}
             COMMAND ${CMAKE_CURRENT_LIST_DIR}/finds_spikes.sh $<TARGET_FILE:tallyman> ${set})
    set_tests_properties(cli_same_bytes_${name} cli_finds_spikes_${name} PROPERTIES LABELS long TIMEOUT 900)
endforeach()
set(small ${CMAKE_SOURCE_DIR}/fixtures/sets/tumangang_3m)
foreach(test help bad_input bad_input_scenes interrupted two_runs spikes compare review lays_scenes background displaced sar alone)
    add_test(NAME cli_${test} COMMAND ${CMAKE_CURRENT_LIST_DIR}/${test}.sh $<TARGET_FILE:tallyman> ${small})
    set_tests_properties(cli_${test} PROPERTIES TIMEOUT 900)
endforeach()
# The one set with all three classes, tiles in parts, and a date under cloud.
add_test(NAME cli_contract
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/contract.sh $<TARGET_FILE:tallyman> ${CMAKE_SOURCE_DIR}/fixtures/sets/rajin_0.5m)
set_tests_properties(cli_contract PROPERTIES LABELS long TIMEOUT 900)
# The one rail station at 0.5 m with a snowy date.
add_test(NAME cli_snow COMMAND ${CMAKE_CURRENT_LIST_DIR}/snow.sh $<TARGET_FILE:tallyman> ${CMAKE_SOURCE_DIR}/fixtures/sets/tumangang_0.5m)
set_tests_properties(cli_snow PROPERTIES LABELS long TIMEOUT 900)
# The same ground delivered otherwise: every case on ships, and those that hold on a rail station at 3 m. scripts/nightly runs all on all, and prints how
# far counts stay within the first run's intervals.
add_test(NAME cli_robust_rail COMMAND ${CMAKE_CURRENT_LIST_DIR}/robust.sh $<TARGET_FILE:tallyman> ${small} gain four_tiles)
add_test(NAME cli_robust_ships
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/robust.sh $<TARGET_FILE:tallyman> ${CMAKE_SOURCE_DIR}/fixtures/sets/vostochny_3m)
set_tests_properties(cli_robust_rail cli_robust_ships PROPERTIES LABELS long TIMEOUT 900)
