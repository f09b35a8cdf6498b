# The system-call table: made from calls.tab while CMake configures, and again when the table or its generator changes.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/calls.tab ${CMAKE_CURRENT_LIST_DIR}/calls.py)
execute_process(COMMAND ${EXO_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/calls.py --out ${EXO_GENERATED} COMMAND_ERROR_IS_FATAL ANY)
