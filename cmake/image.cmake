# boot.img: the header, rs, and the archive with the servers, the libOS and the root file system (docs/architecture.md).
# The root file system comes from Debian's packages; they are fetched once, into the user's cache.

set(EXO_IMAGE ${CMAKE_BINARY_DIR}/boot.img)
set(missing)
foreach(part rs proc fs tty posix)
    if(NOT TARGET ${part})
        list(APPEND missing ${part})
    endif()
endforeach()

if(missing)
    message(STATUS "boot.img: not built, no sources yet for: ${missing}")
else()
    get_property(commands GLOBAL PROPERTY EXO_LINUX_PROGRAMS_user)
    set(command_options)
    foreach(command ${commands})
        list(APPEND command_options --command ${command})
    endforeach()
    file(GLOB tool CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/exo/*.py ${CMAKE_SOURCE_DIR}/tools/rootfs/*)
    add_custom_command(OUTPUT ${EXO_IMAGE}
        COMMAND ${EXO_PYTHON} ${CMAKE_SOURCE_DIR}/tools/mkimage.py --output ${EXO_IMAGE}
                --rs $<TARGET_FILE:rs> --proc $<TARGET_FILE:proc> --fs $<TARGET_FILE:fs>
                --tty $<TARGET_FILE:tty> --posix $<TARGET_FILE:posix> ${command_options}
        DEPENDS rs proc fs tty posix ${commands} ${tool} ${CMAKE_SOURCE_DIR}/tools/mkimage.py
        COMMENT "boot.img"
        VERBATIM)
    add_custom_target(image ALL DEPENDS ${EXO_IMAGE})
endif()
