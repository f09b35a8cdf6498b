# Messages of channels: each Cap'n Proto schema NAME.capnp becomes ${EXO_GENERATED}/NAME.capnp.h. capnp's own compiler reads the schema;
# libexo/schema/generate.py makes C of what it says. While CMake configures, as with the contract (abi/): every header exists, and is
# current, before anything is compiled.

find_program(EXO_CAPNP NAMES capnp REQUIRED)
find_file(EXO_CAPNP_SCHEMA NAMES capnp/schema.capnp REQUIRED) # what it says, as a schema

file(GLOB_RECURSE schemas CONFIGURE_DEPENDS examples/*.capnp bench/*.capnp tests/*.capnp)
list(FILTER schemas EXCLUDE REGEX "/refused/") # what the generator must not accept
set(schema_folder ${CMAKE_CURRENT_SOURCE_DIR}/libexo/schema)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schemas} ${schema_folder}/generate.py ${schema_folder}/run.py ${schema_folder}/exo.capnp)
foreach(schema ${schemas})
    execute_process(COMMAND ${EXO_PYTHON} -B ${schema_folder}/run.py --capnp ${EXO_CAPNP} --schema ${EXO_CAPNP_SCHEMA} --out ${EXO_GENERATED} ${schema}
        COMMAND_ERROR_IS_FATAL ANY)
endforeach()
