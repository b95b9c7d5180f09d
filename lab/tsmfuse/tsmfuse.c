// SPDX-License-Identifier: Apache-2.0
//
// A configfs-tsm report tree on the host, answered by bootgate-psp through its mailbox, for
// rehearsals and tests that have no VM. usage: tsmfuse MAILBOX MOUNTPOINT
//
// It keeps what configfs does: mkdir makes an entry with its attributes, a binary attribute counts
// when the file is closed, each write raises `generation`, outblob of other than 64 bytes of inblob
// is EINVAL, a report is asked for once per generation, rmdir ends the entry.
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// The mailbox, as lab/tsm_sim/tsm_sim.c describes it.
enum {
    REQUEST = 0x00, RESPONSE = 0x04, PROVIDER = 0x08, PRIVLEVEL = 0x0c, IN_LENGTH = 0x10,
    OUT_LENGTH = 0x14, AUX_LENGTH = 0x18, STATUS = 0x20, FLOOR = 0x24, IN = 0x40, OUT = 0x1000,
    AUX = 0x9000, MAILBOX_SIZE = 0x40000,
};
enum { INBLOB_SIZE = 64, BLOB_LIMIT = 32768, ENTRIES = 16, TIMEOUT_MS = 10000 };

static unsigned char *mailbox;

struct entry {
    int used;
    char name[64];
    unsigned char input[INBLOB_SIZE];
    size_t input_length;
    unsigned privilege;
    unsigned long written, read;
    unsigned char report[BLOB_LIMIT], certificates[BLOB_LIMIT];
    size_t report_length, certificates_length;
};
static struct entry entries[ENTRIES];

// What one open file has been given so far; committed on its close.
struct draft {
    size_t length;
    unsigned char bytes[INBLOB_SIZE];
};

enum attribute { INBLOB, OUTBLOB, AUXBLOB, GENERATION, PROVIDER_NAME, LEVEL, LEVEL_FLOOR, ATTRIBUTES };
static const struct { const char *name; mode_t mode; } attributes[ATTRIBUTES] = {
    {"inblob", 0200}, {"outblob", 0400}, {"auxblob", 0400}, {"generation", 0444},
    {"provider", 0444}, {"privlevel", 0200}, {"privlevel_floor", 0444},
};

static _Atomic uint32_t *word(int at) { return (_Atomic uint32_t *)(mailbox + at); }
static uint32_t get(int at) { return atomic_load(word(at)); }
static void put(int at, uint32_t value) { atomic_store(word(at), value); }

static struct entry *find(const char *name, size_t length)
{
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].used && strlen(entries[i].name) == length
            && !memcmp(entries[i].name, name, length))
            return &entries[i];
    return NULL;
}

// 0 the root, 1 an entry, 2 an attribute, or a negative errno.
static int resolve(const char *path, struct entry **entry, enum attribute *attribute)
{
    if (!strcmp(path, "/"))
        return 0;
    path++;
    const char *slash = strchr(path, '/');
    *entry = find(path, slash ? (size_t)(slash - path) : strlen(path));
    if (!*entry)
        return -ENOENT;
    if (!slash)
        return 1;
    for (int i = 0; i < ATTRIBUTES; i++)
        if (!strcmp(attributes[i].name, slash + 1)) {
            *attribute = i;
            return 2;
        }
    return -ENOENT;
}

// Asks the processor when something was written since the last report.
static int refresh(struct entry *entry)
{
    const struct timespec pause = {.tv_nsec = 500000};
    if (entry->input_length != INBLOB_SIZE)
        return -EINVAL;
    if (entry->read == entry->written && entry->report_length)
        return 0;
    put(PRIVLEVEL, entry->privilege);
    put(IN_LENGTH, INBLOB_SIZE);
    memcpy(mailbox + IN, entry->input, INBLOB_SIZE);
    const uint32_t number = get(REQUEST) + 1;
    put(REQUEST, number);
    for (int waited = 0; get(RESPONSE) != number; waited++) {
        if (waited > TIMEOUT_MS * 2)
            return -ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
    const uint32_t status = get(STATUS), report = get(OUT_LENGTH), table = get(AUX_LENGTH);
    if (status)
        return -(int)status;
    if (report > BLOB_LIMIT || table > BLOB_LIMIT)
        return -EIO;
    memcpy(entry->report, mailbox + OUT, report);
    memcpy(entry->certificates, mailbox + AUX, table);
    entry->report_length = report;
    entry->certificates_length = table;
    entry->read = entry->written;
    return 0;
}

static int tsm_getattr(const char *path, struct stat *stat, struct fuse_file_info *info)
{
    (void)info;
    struct entry *entry;
    enum attribute attribute;
    const int kind = resolve(path, &entry, &attribute);
    if (kind < 0)
        return kind;
    memset(stat, 0, sizeof *stat);
    stat->st_uid = getuid();
    stat->st_gid = getgid();
    stat->st_mode = kind < 2 ? S_IFDIR | 0755 : S_IFREG | attributes[attribute].mode;
    stat->st_nlink = kind < 2 ? 2 : 1;
    // Binary attributes have no size in configfs, the others are a page.
    stat->st_size = kind == 2 && attribute > AUXBLOB ? 4096 : 0;
    return 0;
}

static int tsm_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                       struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
    (void)offset, (void)info, (void)flags;
    struct entry *entry;
    enum attribute attribute;
    const int kind = resolve(path, &entry, &attribute);
    if (kind < 0)
        return kind;
    fill(buffer, ".", NULL, 0, 0);
    fill(buffer, "..", NULL, 0, 0);
    for (int i = 0; kind == 0 && i < ENTRIES; i++)
        if (entries[i].used)
            fill(buffer, entries[i].name, NULL, 0, 0);
    for (int i = 0; kind == 1 && i < ATTRIBUTES; i++)
        fill(buffer, attributes[i].name, NULL, 0, 0);
    return 0;
}

static int tsm_mkdir(const char *path, mode_t mode)
{
    (void)mode;
    const char *name = path + 1;
    if (strchr(name, '/'))
        return -EPERM;
    if (strlen(name) >= sizeof entries->name)
        return -ENAMETOOLONG;
    if (find(name, strlen(name)))
        return -EEXIST;
    for (int i = 0; i < ENTRIES; i++)
        if (!entries[i].used) {
            memset(&entries[i], 0, sizeof entries[i]);
            entries[i].used = 1;
            strcpy(entries[i].name, name);
            entries[i].privilege = get(FLOOR);
            return 0;
        }
    return -ENOSPC;
}

static int tsm_rmdir(const char *path)
{
    struct entry *entry;
    enum attribute attribute;
    if (resolve(path, &entry, &attribute) != 1)
        return -EPERM;
    entry->used = 0;
    return 0;
}

static int tsm_open(const char *path, struct fuse_file_info *info)
{
    struct entry *entry;
    enum attribute attribute;
    const int kind = resolve(path, &entry, &attribute);
    if (kind != 2)
        return kind < 0 ? kind : -EISDIR;
    const mode_t mode = attributes[attribute].mode;
    const int access = info->flags & O_ACCMODE;
    if ((access != O_WRONLY && !(mode & 0444)) || (access != O_RDONLY && !(mode & 0200)))
        return -EACCES;
    info->direct_io = 1;
    if (attribute == INBLOB) {
        struct draft *draft = calloc(1, sizeof *draft);
        if (!draft)
            return -ENOMEM;
        info->fh = (uintptr_t)draft;
    }
    return 0;
}

// Shells open with O_TRUNC.
static int tsm_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
    (void)path, (void)size, (void)info;
    return 0;
}

static int tsm_write(const char *path, const char *bytes, size_t count, off_t offset,
                     struct fuse_file_info *info)
{
    struct entry *entry;
    enum attribute attribute;
    if (resolve(path, &entry, &attribute) != 2)
        return -ENOENT;
    if (attribute == INBLOB) {
        struct draft *draft = (struct draft *)(uintptr_t)info->fh;
        if (offset < 0 || (size_t)offset > INBLOB_SIZE || count > INBLOB_SIZE - (size_t)offset)
            return -EFBIG;
        memcpy(draft->bytes + offset, bytes, count);
        if (draft->length < (size_t)offset + count)
            draft->length = (size_t)offset + count;
        return (int)count;
    }
    char text[16] = {0};
    memcpy(text, bytes, count < sizeof text ? count : sizeof text - 1);
    char *end;
    const unsigned long level = strtoul(text, &end, 0);
    if (end == text || level > 3 || level < get(FLOOR))
        return -EINVAL;
    entry->privilege = (unsigned)level;
    entry->written++;
    return (int)count;
}

// flush comes with close(2), so that what was written counts when close returns.
static int tsm_flush(const char *path, struct fuse_file_info *info)
{
    struct entry *entry;
    enum attribute attribute;
    struct draft *draft = (struct draft *)(uintptr_t)info->fh;
    if (!draft || !draft->length)
        return 0;
    if (resolve(path, &entry, &attribute) != 2)
        return -ENOENT;
    memcpy(entry->input, draft->bytes, draft->length);
    entry->input_length = draft->length;
    entry->written++;
    draft->length = 0;
    return 0;
}

static int tsm_release(const char *path, struct fuse_file_info *info)
{
    (void)path;
    free((void *)(uintptr_t)info->fh);
    return 0;
}

static int tsm_read(const char *path, char *buffer, size_t count, off_t offset,
                    struct fuse_file_info *info)
{
    (void)info;
    struct entry *entry;
    enum attribute attribute;
    char text[64];
    const void *source = text;
    size_t length = 0;
    if (resolve(path, &entry, &attribute) != 2)
        return -ENOENT;
    switch (attribute) {
    case OUTBLOB:
    case AUXBLOB: {
        const int failed = refresh(entry);
        if (failed)
            return failed;
        source = attribute == OUTBLOB ? entry->report : entry->certificates;
        length = attribute == OUTBLOB ? entry->report_length : entry->certificates_length;
        break;
    }
    case GENERATION:
        length = (size_t)snprintf(text, sizeof text, "%lu\n", entry->written);
        break;
    case PROVIDER_NAME:
        length = (size_t)snprintf(
            text, sizeof text, "%s\n", (get(PROVIDER) & 0xffff) == 2 ? "tdx_guest" : "sev_guest");
        break;
    case LEVEL_FLOOR:
        length = (size_t)snprintf(text, sizeof text, "%u\n", get(FLOOR));
        break;
    default:
        return -EACCES;
    }
    if ((size_t)offset >= length)
        return 0;
    if (count > length - (size_t)offset)
        count = length - (size_t)offset;
    memcpy(buffer, (const char *)source + offset, count);
    return (int)count;
}

static const struct fuse_operations operations = {
    .getattr = tsm_getattr, .readdir = tsm_readdir, .mkdir = tsm_mkdir, .rmdir = tsm_rmdir,
    .open = tsm_open, .truncate = tsm_truncate, .write = tsm_write, .flush = tsm_flush,
    .release = tsm_release, .read = tsm_read,
};

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: tsmfuse MAILBOX MOUNTPOINT\n");
        return 64;
    }
    const int file = open(arguments[1], O_RDWR | O_CLOEXEC);
    struct stat stat;
    if (file < 0 || fstat(file, &stat) || stat.st_size < MAILBOX_SIZE) {
        fprintf(stderr, "tsmfuse: %s is no mailbox of bootgate-psp\n", arguments[1]);
        return 2;
    }
    mailbox = mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mailbox == MAP_FAILED || get(PROVIDER) >> 16 != 0x5354) {
        fprintf(stderr, "tsmfuse: %s is no mailbox of bootgate-psp\n", arguments[1]);
        return 2;
    }
    // In the foreground and single-threaded: whoever starts it ends it by its process id.
    char *options[] = {arguments[0], "-f", "-s", "-oauto_unmount", arguments[2], NULL};
    return fuse_main(5, options, &operations, NULL);
}
