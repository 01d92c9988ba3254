# The targets and variables that projects expect of libzmq's own configuration.
get_filename_component(_zmq_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

set(PACKAGE_VERSION "4.3.5")
set(ZeroMQ_INCLUDE_DIR "${_zmq_prefix}/include")
set(ZeroMQ_LIBRARY libzmq)
set(ZeroMQ_STATIC_LIBRARY libzmq-static)
set(ZeroMQ_FOUND TRUE)

if(NOT TARGET libzmq)
  add_library(libzmq SHARED IMPORTED)
  set_target_properties(libzmq PROPERTIES
    IMPORTED_LOCATION "${_zmq_prefix}/lib/libzmq.so.5"
    IMPORTED_SONAME "libzmq.so.5"
    INTERFACE_INCLUDE_DIRECTORIES "${_zmq_prefix}/include")
endif()

if(NOT TARGET libzmq-static)
  add_library(libzmq-static STATIC IMPORTED)
  set_target_properties(libzmq-static PROPERTIES
    IMPORTED_LOCATION "${_zmq_prefix}/lib/libzmq.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_zmq_prefix}/include"
    INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl")
endif()
unset(_zmq_prefix)
