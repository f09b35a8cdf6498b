# Compiler flags, one interface library for each kind of code. CMake's own flags per build type are replaced: what is
# compiled how must be readable in one place.

set(CMAKE_C_FLAGS_RELEASE "")
set(CMAKE_C_FLAGS_DEBUG "")
set(CMAKE_ASM_FLAGS_RELEASE "")
set(CMAKE_ASM_FLAGS_DEBUG "")
set(CMAKE_C_EXTENSIONS ON) # gnu17: inline assembly and statement expressions in arch code

# The paths of the source tree and the build folder stay out of the binaries: the same sources give the same bytes anywhere.
set(exo_prefix_map "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build") # the last that fits counts
add_library(exo_common INTERFACE)
target_link_options(exo_common INTERFACE ${exo_prefix_map})
target_compile_options(exo_common INTERFACE
    -g ${exo_prefix_map}
    $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef>
    $<$<BOOL:${EXO_WERROR}>:-Werror>)
target_compile_definitions(exo_common INTERFACE $<$<CONFIG:Debug>:EXO_DEBUG=1>)

# Freestanding code. The loop that *is* memcpy must not be turned into a call of memcpy, hence the gcc flag.
add_library(exo_freestanding INTERFACE)
target_link_libraries(exo_freestanding INTERFACE exo_common)
target_compile_options(exo_freestanding INTERFACE
    -ffreestanding -fno-stack-protector -mgeneral-regs-only -fno-asynchronous-unwind-tables -O2
    $<$<COMPILE_LANGUAGE:C>:-fno-strict-aliasing -fno-common -fvisibility=hidden>
    "$<$<COMPILE_LANGUAGE:C>:SHELL:-include \"${CMAKE_SOURCE_DIR}/cmake/hidden.h\">"
    $<$<AND:$<COMPILE_LANGUAGE:C>,$<C_COMPILER_ID:GNU>>:-fno-tree-loop-distribute-patterns>)
target_include_directories(exo_freestanding INTERFACE ${EXO_GENERATED})

# Whole-program optimisation where gcc links: measured under TCG, a round trip between two contexts takes a third of the time (each call
# and return between pages is a lookup there) and a quarter fewer instructions.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
    # A fixed number of jobs: `auto` gives other bytes where there is but one processor.
    target_link_options(exo_freestanding INTERFACE -O2 -flto=2 -fno-asynchronous-unwind-tables -Wl,-u,memcpy -Wl,-u,memset)
endif()
target_link_options(exo_freestanding INTERFACE
    -nostdlib -static $<$<LINK_LANG_AND_ID:C,GNU>:-no-pie> -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,separate-code
    -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings)

add_library(exo_kernel_flags INTERFACE)
target_link_libraries(exo_kernel_flags INTERFACE exo_freestanding)
target_compile_options(exo_kernel_flags INTERFACE -mcmodel=kernel -mno-red-zone -fno-pic -fno-omit-frame-pointer
    $<$<C_COMPILER_ID:GNU>:-mpreferred-stack-boundary=3>) # no SSE, so nothing wants a stack aligned to 16

# Ring 3 code of this project. Position-independent throughout: libexo is linked into the libOS, which lies above 2 GiB.
add_library(exo_user_flags INTERFACE)
target_link_libraries(exo_user_flags INTERFACE exo_freestanding)
target_compile_options(exo_user_flags INTERFACE -fPIE)

# Unit tests on the host.
add_library(exo_unit_flags INTERFACE)
target_link_libraries(exo_unit_flags INTERFACE exo_common)
target_compile_options(exo_unit_flags INTERFACE
    -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)
target_compile_definitions(exo_unit_flags INTERFACE EXO_HOST_TEST=1 _GNU_SOURCE)
target_include_directories(exo_unit_flags INTERFACE ${EXO_GENERATED})
target_link_options(exo_unit_flags INTERFACE -fsanitize=address,undefined)
