# long
# cmake configures and builds a project with ninja: a library, a program, a test; and again when nothing, and something, changed.
mkdir p; cd p; cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(p C)
include(CheckIncludeFile)
check_include_file(stdio.h HAVE_STDIO)
find_package(Threads REQUIRED)
add_library(part STATIC part.c)
add_executable(prog main.c)
target_link_libraries(prog part Threads::Threads)
configure_file(config.h.in config.h)
target_include_directories(prog PRIVATE ${CMAKE_BINARY_DIR})
enable_testing()
add_test(NAME works COMMAND prog 1)
add_test(NAME fails COMMAND prog 2)
END
echo '#define HAVE "@HAVE_STDIO@"' >config.h.in; echo 'int part(int n) { return n - 1; }' >part.c; printf '#include <stdio.h>\n#include <stdlib.h>\n#include "config.h"\nint part(int);\nint main(int c, char **v) { puts(HAVE); return part(atoi(v[1])); }\n' >main.c
cmake -G Ninja -B b . >log 2>&1; echo $?; grep -E 'Looking|works' log; ninja -C b | tail -1; b/prog 1; echo $?; ninja -C b | tail -1; touch part.c; ninja -C b | tail -1; (cd b && ctest 2>&1 | grep -E 'tests passed|Failed' | sed 's/[0-9.]* sec//'); cmake --build b --target clean | tail -1 | cut -c1-20; cmake -P /dev/stdin <<'END'
file(GLOB f *.c)
list(LENGTH f n)
execute_process(COMMAND echo hi OUTPUT_VARIABLE o)
message(STATUS "${n} ${o}")
END
