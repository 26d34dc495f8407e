// SPDX-License-Identifier: Apache-2.0
//
// The crash test: a server is killed (SIGKILL) again and again in the middle of TPC-B transactions
// from several connections. After each restart every acknowledged transaction must be there,
// exactly once, none may be there in part, and the balances must agree with the history.
//
//     kill9 DBASPOT ROUNDS
//
// Each transaction inserts a history row with an id of its own; a client notes the id when COMMIT
// has been acknowledged. One connection a thread; the main thread kills and checks.
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 6, ACCOUNTS = 2000, TELLERS = 10, IDS_MAX = 2000000, START_SECONDS_MAX = 60 };

static char dir[256];
static char url[256];
static const char *program;
static pid_t server;
static _Atomic bool stop;
static uint8_t *acknowledged; /* by id */
static _Atomic int next_id;
static uint64_t seed;

static void die(const char *what)
{
    fprintf(stderr, "kill9: %s\n", what);
    if (server > 0)
        kill(server, SIGKILL);
    printf("0 passed, 1 failed\n");
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* The port from the server's log. */
static int read_port(const char *log)
{
    char text[8192];
    FILE *file = fopen(log, "r");
    if (file == NULL)
        return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    const char *at = strstr(text, "listening on 127.0.0.1:");
    return at && strchr(at, '\n') ? (int)strtol(at + strlen("listening on 127.0.0.1:"), NULL, 10)
                                  : 0;
}

static void start_server(void)
{
    char log[300];
    char data[300];
    int64_t deadline = now_ms() + START_SECONDS_MAX * 1000;
    int port = 0;

    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(data, sizeof data, "%s/data", dir);
    unlink(log);
    server = fork();
    if (server < 0)
        die("fork failed");
    if (server == 0) {
        int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(out, 1);
        dup2(out, 2);
        execl(program, program, "server", "--data", data, "--listen", "127.0.0.1:0",
              "--log-segment-size", "4MB", "--delta-generation-size", "1MB", (char *)NULL);
        _exit(127);
    }
    while (port == 0) {
        int status;
        if (waitpid(server, &status, WNOHANG) == server || now_ms() > deadline) {
            char command[400];
            snprintf(command, sizeof command, "cat %s >&2", log);
            if (system(command) != 0)
                fprintf(stderr, "(no log)\n");
            die("the server does not start");
        }
        nap_ms(5);
        port = read_port(log);
    }
    snprintf(url, sizeof url, "postgresql://postgres@127.0.0.1:%d/postgres", port);
}

static void kill_server(void)
{
    int status;
    kill(server, SIGKILL);
    waitpid(server, &status, 0);
    server = 0;
}

static PGconn *connect_or_die(void)
{
    PGconn *conn = PQconnectdb(url);
    if (PQstatus(conn) != CONNECTION_OK)
        die(PQerrorMessage(conn));
    return conn;
}

static void run_or_die(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s\n", sql);
        die(PQerrorMessage(conn));
    }
    PQclear(result);
}

static int64_t ask(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s\n", sql);
        die(PQerrorMessage(conn));
    }
    int64_t value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return value;
}

static void make_tables(void)
{
    PGconn *conn = connect_or_die();
    char sql[256];

    run_or_die(conn, "CREATE TABLE branches (bid int PRIMARY KEY, bbalance int NOT NULL)");
    run_or_die(conn, "CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance int NOT NULL)");
    run_or_die(conn, "CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int NOT NULL, "
                     "filler char(84))");
    run_or_die(conn, "CREATE TABLE history (id int PRIMARY KEY, tid int, bid int, aid int, delta "
                     "int, mtime timestamp)");
    run_or_die(conn, "INSERT INTO branches VALUES (1, 0)");
    snprintf(sql, sizeof sql, "INSERT INTO tellers SELECT g, 1, 0 FROM generate_series(1, %d) g",
             TELLERS);
    run_or_die(conn, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO accounts SELECT g, 1, 0, '' FROM generate_series(1, %d) g", ACCOUNTS);
    run_or_die(conn, sql);
    PQfinish(conn);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

static bool try_run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* One TPC-B transaction; false when the connection is lost (or the statement failed). */
static bool transfer(PGconn *conn, uint64_t *random)
{
    char sql[512];
    int id = atomic_fetch_add(&next_id, 1);
    int aid = (int)(next_random(random) % ACCOUNTS) + 1;
    int tid = (int)(next_random(random) % TELLERS) + 1;
    int delta = (int)(next_random(random) % 10001) - 5000;

    if (id >= IDS_MAX)
        return false;
    snprintf(sql, sizeof sql, "UPDATE accounts SET abalance = abalance + %d WHERE aid = %d", delta,
             aid);
    if (!try_run(conn, "BEGIN") || !try_run(conn, sql))
        return false;
    snprintf(sql, sizeof sql, "UPDATE tellers SET tbalance = tbalance + %d WHERE tid = %d", delta,
             tid);
    if (!try_run(conn, sql))
        return false;
    snprintf(sql, sizeof sql, "UPDATE branches SET bbalance = bbalance + %d WHERE bid = 1", delta);
    if (!try_run(conn, sql))
        return false;
    snprintf(sql, sizeof sql, "INSERT INTO history VALUES (%d, %d, 1, %d, %d, now())", id, tid, aid,
             delta);
    if (!try_run(conn, sql) || !try_run(conn, "COMMIT"))
        return false;
    acknowledged[id] = 1;
    return true;
}

static void *client(void *arg)
{
    uint64_t random = seed + (uintptr_t)arg * 7919;
    PGconn *conn = PQconnectdb(url);

    while (!atomic_load(&stop) && PQstatus(conn) == CONNECTION_OK && transfer(conn, &random)) {
    }
    PQfinish(conn);
    return NULL;
}

/* Returns how many acknowledged transactions there are. */
static int check(void)
{
    PGconn *conn = connect_or_die();
    int count = 0;

    int64_t history = ask(conn, "SELECT coalesce(sum(delta), 0) FROM history");
    if (ask(conn, "SELECT sum(abalance) FROM accounts") != history ||
        ask(conn, "SELECT sum(tbalance) FROM tellers") != history ||
        ask(conn, "SELECT sum(bbalance) FROM branches") != history)
        die("the balances do not agree with the history");
    if (ask(conn, "SELECT count(*) FROM accounts") != ACCOUNTS)
        die("accounts are missing");
    PGresult *result = PQexec(conn, "SELECT id FROM history");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        die(PQerrorMessage(conn));
    uint8_t *there = calloc(IDS_MAX, 1);
    for (int i = 0; i < PQntuples(result); i++) {
        int64_t id = strtoll(PQgetvalue(result, i, 0), NULL, 10);
        if (id < 0 || id >= IDS_MAX || there[id]++)
            die("a history row is there twice");
    }
    for (int id = 0; id < IDS_MAX; id++) {
        count += acknowledged[id];
        if (acknowledged[id] && !there[id])
            die("an acknowledged transaction is lost");
    }
    free(there);
    PQclear(result);
    PQfinish(conn);
    return count;
}

static void one_round(uint64_t *random)
{
    pthread_t threads[CLIENTS];

    atomic_store(&stop, false);
    seed = next_random(random);
    for (uintptr_t i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, client, (void *)i);
    nap_ms((int)(next_random(random) % 120) + 5);
    kill_server();
    atomic_store(&stop, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    start_server();
}

int main(int argc, char **argv)
{
    uint64_t random = (uint64_t)time(NULL);
    char command[400];
    int count = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: kill9 DBASPOT ROUNDS\n");
        return 2;
    }
    program = argv[1];
    int rounds = (int)strtol(argv[2], NULL, 10);
    if (getenv("SEED"))
        random = strtoull(getenv("SEED"), NULL, 10);
    printf("seed %llu\n", (unsigned long long)random);
    acknowledged = calloc(IDS_MAX, 1);
    snprintf(dir, sizeof dir, "/tmp/kill9.XXXXXX");
    if (mkdtemp(dir) == NULL)
        die("no temporary directory");
    start_server();
    make_tables();
    for (int i = 0; i < rounds; i++) {
        int before = count;
        one_round(&random);
        count = check();
        if (i % 10 == 9 || count == before)
            printf("round %d: %d transactions acknowledged\n", i + 1, count);
    }
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", dir);
    if (count == 0)
        die("no transaction was acknowledged: the test shows nothing");
    printf("%d passed, 0 failed\n", rounds);
    return 0;
}
