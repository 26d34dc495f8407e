// SPDX-License-Identifier: Apache-2.0
//
// The PostgreSQL-compatible server: listens, owns one event loop a core, gives each connection to a
// loop. server_run returns when the server was asked to stop (SIGTERM, SIGINT, or server_stop).
#ifndef DBASPOT_SERVER_SERVER_H
#define DBASPOT_SERVER_SERVER_H

#include "api/session.h"

typedef struct ServerOptions {
    const Settings *settings;
    /* Called with what the operator should see: "listening on …", errors of connections. */
    void (*log)(void *arg, NoticeLevel level, const char *message);
    void *log_arg;
} ServerOptions;

/* Opens the node, serves, closes the node. Errors before serving are returned. */
Status server_run(Ctx *ctx, const ServerOptions *options);

#endif
