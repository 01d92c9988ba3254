/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Everything that was declared here is in zmq.h. */
#ifndef ZMQ_UTILS_H
#define ZMQ_UTILS_H
#include "zmq.h"
#endif
