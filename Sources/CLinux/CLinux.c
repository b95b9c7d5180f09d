#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

ssize_t bootgate_getrandom(void *buffer, size_t count)
{
    return getrandom(buffer, count, 0);
}

int bootgate_set_undumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int bootgate_protect_memory(void *start, size_t count)
{
    if (madvise(start, count, MADV_DONTDUMP) != 0)
        return -1;
    if (madvise(start, count, MADV_WIPEONFORK) != 0)
        return -1;
    return mlock(start, count);
}

int bootgate_forbid_core_files(void)
{
    const struct rlimit none = { 0, 0 };
    return setrlimit(RLIMIT_CORE, &none);
}

int bootgate_forbid_backtraces(void)
{
    static const int crashes[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSEGV };
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (signal(crashes[i], SIG_DFL) == SIG_ERR)
            return -1;
    return 0;
}

static char unfinished[4096];

static void remove_unfinished(int number)
{
    unlink(unfinished);
    signal(number, SIG_DFL);
    raise(number);
}

/* What is ignored, as under nohup(1), stays ignored. */
static int on_end(void (*handler)(int))
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct sigaction now;
        if (sigaction(ends[i], NULL, &now) != 0)
            return -1;
        if (now.sa_handler != SIG_IGN && signal(ends[i], handler) == SIG_ERR)
            return -1;
    }
    return 0;
}

int bootgate_remove_on_end(const char *path)
{
    if (on_end(SIG_DFL) != 0)
        return -1;
    if (path == NULL)
        return 0;
    if (strlen(path) >= sizeof unfinished) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(unfinished, path);
    return on_end(remove_unfinished);
}

int bootgate_memfd(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int bootgate_seal_memfd(int descriptor)
{
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

int bootgate_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

int bootgate_peer_credentials(int descriptor, pid_t *process, uid_t *user, gid_t *group)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return -1;
    *process = peer.pid;
    *user = peer.uid;
    *group = peer.gid;
    return 0;
}

unsigned bootgate_major(dev_t device)
{
    return major(device);
}

unsigned bootgate_minor(dev_t device)
{
    return minor(device);
}

int bootgate_block_size(int descriptor, uint64_t *bytes)
{
    return ioctl(descriptor, BLKGETSIZE64, bytes);
}

int bootgate_connect_tcp(const struct sockaddr *address, unsigned length)
{
    const int on = 1;
    int s = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(s, address, length) != 0 && errno != EINPROGRESS) {
        int saved = errno;
        close(s);
        errno = saved;
        return -1;
    }
    return s;
}

int bootgate_socket_error(int descriptor)
{
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &length) != 0)
        return -1;
    return value;
}

ssize_t bootgate_send(int descriptor, const void *buffer, size_t count)
{
    return send(descriptor, buffer, count, MSG_NOSIGNAL);
}

int bootgate_power_off(void)
{
    sync();
    return reboot(RB_POWER_OFF);
}

int bootgate_reboot(void)
{
    sync();
    return reboot(RB_AUTOBOOT);
}

int bootgate_notify(const char *socket_name, const char *message)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(socket_name);
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, socket_name, length);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = 0;
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -1;
    ssize_t sent = sendto(s, message, strlen(message), MSG_NOSIGNAL,
                          (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    int saved = errno;
    close(s);
    errno = saved;
    return sent < 0 ? -1 : 0;
}

int bootgate_user_id(const char *name, uid_t *user)
{
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL)
        return -1;
    *user = entry->pw_uid;
    return 0;
}

/* The structures of linux/sev-guest.h and linux/tdx-guest.h, spelt out: their kernels are newer than the
 * headers of a build machine may be. */
struct snp_report_request {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t reserved[28];
};

struct snp_extended_report_request {
    struct snp_report_request data;
    uint64_t certificates_address;
    uint32_t certificates_length;
};

struct snp_report_response {
    uint8_t data[4000];
};

struct snp_guest_request {
    uint8_t message_version;
    uint64_t request;
    uint64_t response;
    uint64_t exitinfo2;
};

struct tdx_report_request {
    uint8_t report_data[64];
    uint8_t td_report[1024];
};

_Static_assert(sizeof(struct snp_report_request) == 96, "snp_report_req");
_Static_assert(sizeof(struct snp_extended_report_request) == 112, "snp_ext_report_req");
_Static_assert(sizeof(struct snp_guest_request) == 32, "snp_guest_request_ioctl");
_Static_assert(sizeof(struct tdx_report_request) == 1088, "tdx_report_req");
_Static_assert(sizeof(struct sockaddr_vm) == 16, "sockaddr_vm");

#define SNP_GET_REPORT _IOWR('S', 0x0, struct snp_guest_request)
#define SNP_GET_EXT_REPORT _IOWR('S', 0x2, struct snp_guest_request)
#define TDX_CMD_GET_REPORT0 _IOWR('T', 1, struct tdx_report_request)

static int snp_request(int descriptor, unsigned long command, void *request, uint8_t *response,
                       uint64_t *outcome)
{
    struct snp_guest_request message = {
        .message_version = 1,
        .request = (uint64_t)(uintptr_t)request,
        .response = (uint64_t)(uintptr_t)response,
    };
    int result = ioctl(descriptor, command, &message);
    *outcome = message.exitinfo2;
    return result;
}

int bootgate_snp_report(int descriptor, const uint8_t *report_data, uint32_t privilege,
                        uint8_t *response, uint64_t *outcome)
{
    struct snp_report_request request = { .vmpl = privilege };
    memcpy(request.user_data, report_data, sizeof request.user_data);
    return snp_request(descriptor, SNP_GET_REPORT, &request, response, outcome);
}

int bootgate_snp_extended_report(int descriptor, const uint8_t *report_data, uint32_t privilege,
                                 uint8_t *response, uint8_t *certificates,
                                 uint32_t certificates_size, uint64_t *outcome)
{
    struct snp_extended_report_request request = {
        .data = { .vmpl = privilege },
        .certificates_address = (uint64_t)(uintptr_t)certificates,
        .certificates_length = certificates_size,
    };
    memcpy(request.data.user_data, report_data, sizeof request.data.user_data);
    return snp_request(descriptor, SNP_GET_EXT_REPORT, &request, response, outcome);
}

int bootgate_td_report(int descriptor, const uint8_t *report_data, uint8_t *report)
{
    struct tdx_report_request request = { 0 };
    memcpy(request.report_data, report_data, sizeof request.report_data);
    int result = ioctl(descriptor, TDX_CMD_GET_REPORT0, &request);
    if (result == 0)
        memcpy(report, request.td_report, sizeof request.td_report);
    return result;
}

void bootgate_vsock_address(uint32_t cid, uint32_t port, uint8_t *address)
{
    const struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_port = port, .svm_cid = cid };
    memcpy(address, &vm, sizeof vm);
}

int bootgate_spawn(const char *const argv[], const char *const envp[], int output, pid_t *pid)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0)
        return error;
    error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        posix_spawnattr_destroy(&attributes);
        return error;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0 && output >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (error == 0 && output >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, 2);
    /* Libraries open sockets without O_CLOEXEC. */
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (error == 0)
        error = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)argv,
                            (char *const *)envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int bootgate_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return 0;
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    return -1;
}

int bootgate_reap(pid_t pid, int *status)
{
    int word;
    pid_t ended;
    do
        ended = waitpid(pid, &word, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended <= 0)
        return ended;
    *status = WIFEXITED(word) ? WEXITSTATUS(word) : 128 + WTERMSIG(word);
    return 1;
}

int bootgate_name_thread(const char *name)
{
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

int bootgate_next_entry(void *directory, const char **name, unsigned char *kind)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL)
            return errno == 0 ? 0 : -1;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        *name = entry->d_name;
        *kind = entry->d_type;
        return 1;
    }
}

int bootgate_glimpse(int directory, const char *name, uint64_t *device, uint32_t *mode, uint64_t *mount)
{
    struct statx found;
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    if (statx(directory, name, flags, STATX_TYPE | STATX_MODE | STATX_MNT_ID, &found) != 0)
        return -1;
    if (!(found.stx_mask & STATX_MNT_ID)) {
        errno = ENOSYS;
        return -1;
    }
    *device = makedev(found.stx_dev_major, found.stx_dev_minor);
    *mode = found.stx_mode;
    *mount = found.stx_mnt_id;
    return 0;
}

void bootgate_lower_priority(int nice, int idle)
{
    /* IOPRIO_WHO_PROCESS; IOPRIO_CLASS_IDLE, or IOPRIO_CLASS_BE and level 7. On Linux both calls are about
       threads. */
    const pid_t thread = (pid_t)syscall(SYS_gettid);
    syscall(SYS_ioprio_set, 1, thread, idle ? 3 << 13 : 2 << 13 | 7);
    setpriority(PRIO_PROCESS, (id_t)thread, getpriority(PRIO_PROCESS, (id_t)thread) + nice);
}
