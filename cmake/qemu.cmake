# The classic names. `./exo` is what drives QEMU; these only call it, with this build folder as it is.

set(exo ${CMAKE_SOURCE_DIR}/exo)
add_custom_target(qemu COMMAND ${exo} run --built ${CMAKE_BINARY_DIR} USES_TERMINAL VERBATIM)
add_custom_target(qemu-nox COMMAND ${exo} run --built ${CMAKE_BINARY_DIR} USES_TERMINAL VERBATIM)
add_custom_target(qemu-debug COMMAND ${exo} debug --built ${CMAKE_BINARY_DIR} USES_TERMINAL VERBATIM)
foreach(target qemu qemu-nox qemu-debug)
    foreach(part kernel image)
        if(TARGET ${part})
            add_dependencies(${target} ${part})
        endif()
    endforeach()
endforeach()
