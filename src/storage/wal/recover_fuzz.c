// SPDX-License-Identifier: Apache-2.0
//
// Recovery fed with arbitrary segment files: it may refuse them, it may replay what holds, it may
// never read beyond them or loop. The first byte says how many segments the rest is cut into.
#include "storage/wal/wal_int.h"

#include "base/memory.h"
#include "os/sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static Status take(Ctx *ctx, void *arg, const WalRecord *record)
{
    (void)ctx;
    *(size_t *)arg += record->payload.len;
    return OK;
}

static void add_segment(Ctx *ctx, Files *files, uint32_t number, const uint8_t *bytes, size_t count)
{
    char *path = mem_printf("d/log/%08x.log", number);
    File *file;

    if (file_open(ctx, files, path, FILE_WRITE | FILE_CREATE, &file) == OK) {
        if (file_write(ctx, file, bytes, count, 0) != OK)
            error_clear(ctx);
        file_close(file);
    }
    mem_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    SimDisk *disk = sim_disk_new(1);
    Files *files = sim_disk_files(disk);
    size_t total = 0;
    WalOptions options = {.files = files,
                          .dir = "d/log",
                          .segment_bytes = 1 << 14,
                          .buffer_bytes = 1 << 14,
                          .apply = take,
                          .apply_arg = &total};
    Wal *wal = NULL;
    Ctx ctx;

    ctx_init(&ctx);
    if (count > 1 && files_make_dir(&ctx, files, "d/log") == OK) {
        uint32_t segments = 1 + bytes[0] % 3;
        size_t each = (count - 1) / segments;

        for (uint32_t i = 0; i < segments; i++)
            add_segment(&ctx, files, i + 1, bytes + 1 + i * each, each);
        if (wal_open(&ctx, &options, &wal) == OK)
            wal_close(wal);
    }
    ASSERT(total <= count);
    ctx_free(&ctx);
    sim_disk_free(disk);
    return 0;
}
