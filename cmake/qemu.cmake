# The classic names. `./exo` is what drives QEMU; these only call it, with this build folder.

set(exo ${CMAKE_COMMAND} -E env EXO_BUILD_DIR=${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/exo)
add_custom_target(qemu COMMAND ${exo} run USES_TERMINAL VERBATIM COMMENT "")
add_custom_target(qemu-nox COMMAND ${exo} run USES_TERMINAL VERBATIM COMMENT "")
add_custom_target(qemu-debug COMMAND ${exo} debug USES_TERMINAL VERBATIM COMMENT "")
