# Helpers with which each folder says what it is. Sources are globbed (CONFIGURE_DEPENDS: a new file is found by itself);
# `*_test.c` belongs to the host tests and never to the system.

function(exo_sources out)
    set(patterns)
    foreach(folder ${ARGN})
        list(APPEND patterns ${folder}/*.c ${folder}/*.S)
    endforeach()
    file(GLOB found CONFIGURE_DEPENDS ${patterns})
    list(FILTER found EXCLUDE REGEX "_test\\.c$")
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# The folders that ring-3 code of the project may include from.
set(EXO_LIBEXO_INCLUDES ${CMAKE_SOURCE_DIR}/libexo/include ${CMAKE_SOURCE_DIR}/libexo/arch/${EXO_ARCH}/include)
set(EXO_USER_INCLUDES ${EXO_LIBEXO_INCLUDES} ${CMAKE_SOURCE_DIR}/libos/posix/proto)

# A server: a static ELF at 0x420000 (servers/rs/load.h) in ${CMAKE_BINARY_DIR}/exo/NAME.
function(exo_server name)
    exo_sources(sources ${CMAKE_CURRENT_SOURCE_DIR}/${name})
    if(NOT sources)
        message(STATUS "server ${name}: no sources yet")
        return()
    endif()
    add_executable(${name} ${sources})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${EXO_USER_INCLUDES})
    target_link_libraries(${name} PRIVATE exo_user_flags ${ARGN})
    if(TARGET libexo)
        target_link_libraries(${name} PRIVATE libexo)
    endif()
    target_link_options(${name} PRIVATE -Wl,-Ttext-segment=0x420000 -Wl,-e,_start -Wl,-u,_start)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/exo)
    set_property(GLOBAL APPEND PROPERTY EXO_SERVERS ${name})
endfunction()

# A program that is the first environment, with nothing above the kernel: ${CMAKE_BINARY_DIR}/FOLDER/NAME.elf, in a boot image of its own,
# NAME.img.
function(exo_first_environment name folder)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE exo_user_flags libexo)
    target_include_directories(${name} PRIVATE ${EXO_LIBEXO_INCLUDES})
    target_link_options(${name} PRIVATE -Wl,-Ttext-segment=0x400000 -Wl,-e,_start -Wl,-u,_start)
    set_target_properties(${name} PROPERTIES OUTPUT_NAME ${name}.elf RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${folder}/${name}.img
        COMMAND ${EXO_PYTHON} ${CMAKE_SOURCE_DIR}/tests/bare/image.py $<TARGET_FILE:${name}> ${CMAKE_BINARY_DIR}/${folder}/${name}.img
        DEPENDS ${name} ${CMAKE_SOURCE_DIR}/tests/bare/image.py)
    add_custom_target(${name}_image ALL DEPENDS ${CMAKE_BINARY_DIR}/${folder}/${name}.img)
endfunction()

# An ordinary static Linux program, linked with Debian's musl: FOLDER/NAME.c becomes ${CMAKE_BINARY_DIR}/GROUP/NAME. Such a
# program runs unmodified on Linux too. With libexo in the link it may call the exokernel as well.
# musl-gcc is a wrapper around gcc, so these are built by gcc whatever compiles the system.
function(exo_linux_program group name)
    set(output ${CMAKE_BINARY_DIR}/${group}/${name})
    set(werror)
    if(EXO_WERROR)
        set(werror -Werror)
    endif()
    list(TRANSFORM EXO_LIBEXO_INCLUDES PREPEND -I OUTPUT_VARIABLE includes)
    list(APPEND includes -iquote ${CMAKE_SOURCE_DIR}/libos/posix/proto) # never for <termios.h> and its like
    set(library)
    if(TARGET libexo)
        set(library $<TARGET_FILE:libexo>)
    endif()
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/${group}
        COMMAND musl-gcc -std=gnu17 -O2 -g -static -no-pie -fno-pie -Wall -Wextra -Wshadow ${werror}
                -Wl,--build-id=none -Wl,-z,noexecstack
                ${includes} -I${EXO_GENERATED} -I${CMAKE_CURRENT_SOURCE_DIR}
                -MD -MF ${output}.d -MT ${output} -o ${output} ${ARGN} ${library}
        DEPENDS ${ARGN} ${library}
        DEPFILE ${output}.d
        COMMENT "musl-gcc ${group}/${name}"
        VERBATIM)
    set_property(GLOBAL APPEND PROPERTY EXO_LINUX_PROGRAMS_${group} ${output})
endfunction()
