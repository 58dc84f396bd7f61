# SPDX-License-Identifier: Apache-2.0
# A component is a folder of src/ with its sub-folders: one static library and one test program (style R1, R27).
#
#   integreat_component(cloud/firebase USES crypto http LIBRARIES SQLite::SQLite3)
#
# builds integreat_cloud_firebase from the component's sources, integreat_cloud_firebase_testing from those in
# its testing/ (support for tests: products never link it) and integreat_cloud_firebase_test from its *_test.cpp.
# Migrations beside their owner (migrations/*.sql) are embedded in the library (migrations.cmake).
# Dependencies are public, because headers of a component include those of the components it uses. TEST_PARTS 3
# adds three tests of the test program, each with a third of its cases and a time limit of its own.
function(integreat_component folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TEST_PARTS" "USES;LIBRARIES")
    string(REPLACE "/" "_" name ${folder})
    set(target integreat_${name})

    file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
    set(sources ${all})
    set(support ${all})
    set(tests ${all})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/testing/|/main\\.cpp$")
    list(FILTER support INCLUDE REGEX "/testing/")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

    integreat_embed_migrations(${folder} migrations)
    add_library(${target} STATIC ${sources} ${migrations})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    list(TRANSFORM arg_USES REPLACE "/" "_")
    list(TRANSFORM arg_USES PREPEND integreat_)
    target_link_libraries(${target} PUBLIC ${arg_USES} ${arg_LIBRARIES} Threads::Threads)
    integreat_precompile(${target})
    integreat_unite(${target})
    if(INTEGREAT_FUZZ)
        return()
    endif()

    set(testing ${target} GTest::gmock GTest::gtest)
    foreach(used IN LISTS arg_USES)
        if(TARGET ${used}_testing)
            list(APPEND testing ${used}_testing)
        endif()
    endforeach()
    if(support)
        add_library(${target}_testing STATIC EXCLUDE_FROM_ALL ${support})
        target_link_libraries(${target}_testing PUBLIC ${testing})
        integreat_precompile(${target}_testing)
        list(PREPEND testing ${target}_testing)
    endif()

    if(tests)
        add_executable(${target}_test ${tests})
        target_link_libraries(${target}_test PRIVATE ${testing} GTest::gtest_main)
        target_compile_definitions(${target}_test PRIVATE INTEGREAT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
        integreat_precompile(${target}_test)
        integreat_unite(${target}_test)
        if(NOT arg_TEST_PARTS)
            set(arg_TEST_PARTS 1)
        endif()
        foreach(part RANGE 1 ${arg_TEST_PARTS})
            set(test ${name})
            if(arg_TEST_PARTS GREATER 1)
                set(test ${name}_${part})
            endif()
            math(EXPR shard "${part} - 1")
            add_test(NAME ${test} COMMAND ${target}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
            set_tests_properties(
                ${test} PROPERTIES LABELS fast TIMEOUT 120
                ENVIRONMENT "GTEST_TOTAL_SHARDS=${arg_TEST_PARTS};GTEST_SHARD_INDEX=${shard}")
        endforeach()
    endif()
endfunction()

# Compiles the sources of a target in batches: a header is then parsed once per batch, not once per source. Names in
# anonymous namespaces must be unique within a component. `./dev check` builds without (INTEGREAT_UNITY=OFF), so
# that each file keeps including what it uses.
function(integreat_unite target)
    if(INTEGREAT_UNITY)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${INTEGREAT_UNITY})
        # These warn of names in the anonymous namespace of another source of the batch.
        target_compile_options(
            ${target} PRIVATE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    endif()
endfunction()

# The one precompiled header (standard library only) is built by the first component and reused by the others.
function(integreat_precompile target)
    if(NOT INTEGREAT_PCH)
        return()
    endif()
    if(NOT TARGET integreat_base OR target STREQUAL "integreat_base")
        target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/base/precompiled.h)
    else()
        target_precompile_headers(${target} REUSE_FROM integreat_base)
    endif()
endfunction()
