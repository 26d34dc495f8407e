// SPDX-License-Identifier: Apache-2.0
//
// Tries to connect, without waiting: a socket file without a listener refuses at once, a listener
// with a full queue answers EAGAIN. See unix_socket.h.
#include "os/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool unix_socket_is_live(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t bytes = strlen(path) + 1;

    if (bytes > sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, bytes);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool live =
        connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
    close(fd);
    return live;
}
