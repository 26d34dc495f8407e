// SPDX-License-Identifier: Apache-2.0
//
// What the event loop does not offer for Unix sockets: telling a socket that a server listens on
// from a file that a killed one has left. Any thread.
#ifndef DBASPOT_OS_UNIX_SOCKET_H
#define DBASPOT_OS_UNIX_SOCKET_H

#include <stdbool.h>

/* True if somebody accepts connections at `path`. */
bool unix_socket_is_live(const char *path);

#endif
