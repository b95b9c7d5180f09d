#ifndef BOOTGATE_CLINUX_H
#define BOOTGATE_CLINUX_H

/* System calls and constants that Swift's Glibc overlay leaves out, because they are macros,
 * variadic, or GNU extensions. Each returns what the call returns and sets errno. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* getrandom(2), flags 0: blocks until the kernel's generator is seeded. */
ssize_t bootgate_getrandom(void *buffer, size_t count);

/* prctl(PR_SET_DUMPABLE, 0): no core file, no ptrace by equals. */
int bootgate_set_undumpable(void);

/* madvise with MADV_DONTDUMP, then MADV_WIPEONFORK; mlock. */
int bootgate_protect_memory(void *start, size_t count);

/* setrlimit(RLIMIT_CORE, 0). */
int bootgate_forbid_core_files(void);

/* signal(SIG_DFL) for the signals of a crash, which Swift's runtime answers with a dump of registers
 * and memory on standard error. */
int bootgate_forbid_backtraces(void);

/* When SIGINT, SIGTERM or SIGHUP ends the process, unlink(2) that path first, of at most 4095 bytes;
 * a null pointer takes that back. One path at a time. */
int bootgate_remove_on_end(const char *path);

/* memfd_create(2) with MFD_CLOEXEC | MFD_ALLOW_SEALING. */
int bootgate_memfd(const char *name);

/* fcntl(F_ADD_SEALS): no write, no resize, no further seals. */
int bootgate_seal_memfd(int descriptor);

/* open(2) with a mode; O_CLOEXEC is added. */
int bootgate_open(const char *path, int flags, mode_t mode);

/* SO_PEERCRED of a Unix socket. */
int bootgate_peer_credentials(int descriptor, pid_t *process, uid_t *user, gid_t *group);

/* major(3), minor(3). */
unsigned bootgate_major(dev_t device);
unsigned bootgate_minor(dev_t device);

/* ioctl BLKGETSIZE64: bytes of a block device. */
int bootgate_block_size(int descriptor, uint64_t *bytes);

/* A non-blocking TCP socket with TCP_NODELAY, connecting; EINPROGRESS counts as success. */
struct sockaddr;
int bootgate_connect_tcp(const struct sockaddr *address, unsigned length);

/* SO_ERROR of a socket, or -1. */
int bootgate_socket_error(int descriptor);

/* send(2) with MSG_NOSIGNAL. */
ssize_t bootgate_send(int descriptor, const void *buffer, size_t count);

/* reboot(2) with RB_POWER_OFF or RB_AUTOBOOT, after sync(2). */
int bootgate_power_off(void);
int bootgate_reboot(void);

/* One datagram to a Unix socket, whose name may start with '@' for the abstract namespace. */
int bootgate_notify(const char *socket_name, const char *message);

/* getpwnam(3) and getpwuid(3), reduced to numbers: 0 found, -1 not. */
int bootgate_user_id(const char *name, uid_t *user);

/* SNP_GET_REPORT of linux/sev-guest.h, message version 1: `response` is MSG_REPORT_RSP, 4000 bytes.
 * `outcome` is exitinfo2: the firmware's error below, the host's in the upper half. */
int bootgate_snp_report(int descriptor, const uint8_t *report_data, uint32_t privilege,
                        uint8_t *response, uint64_t *outcome);

/* SNP_GET_EXT_REPORT; `certificates_size` is a multiple of 4096 up to 16384. */
int bootgate_snp_extended_report(int descriptor, const uint8_t *report_data, uint32_t privilege,
                                 uint8_t *response, uint8_t *certificates,
                                 uint32_t certificates_size, uint64_t *outcome);

/* TDX_CMD_GET_REPORT0 of linux/tdx-guest.h: 64 bytes in, a TDREPORT of 1024 bytes out. */
int bootgate_td_report(int descriptor, const uint8_t *report_data, uint8_t *report);

/* prctl(PR_SET_NAME): the name of this thread, of which 15 bytes count. */
int bootgate_name_thread(const char *name);

/* posix_spawn(3) of the program at argv[0] in a session of its own, without this process's signal mask
 * and dispositions; standard input is /dev/null, standard output and error are `output`, or this
 * process's own where that is -1; no other descriptor is inherited. Returns an errno value. */
int bootgate_spawn(const char *const argv[], const char *const envp[], int output, pid_t *pid);

/* pipe2(2) with O_CLOEXEC and a non-blocking reading end. */
int bootgate_pipe(int ends[2]);

/* waitpid(2) with WNOHANG: the exit status, or 128 and the signal's number, in `status`. Returns 1 once
 * the process has ended, 0 before, -1 where there is no such child. */
int bootgate_reap(pid_t pid, int *status);

/* A sockaddr_vm of 16 bytes. */
void bootgate_vsock_address(uint32_t cid, uint32_t port, uint8_t *address);

/* The next entry of a directory that fdopendir(3) gave, but for "." and "..": 1 with its name, which lives until
 * the next call, and its kind (DT_REG, DT_DIR, or another), 0 at the end, -1. */
int bootgate_next_entry(void *directory, const char **name, unsigned char *kind);

/* statx(2) of a name in a directory, by what the kernel knows without asking a server and without mounting anything:
 * st_dev, st_mode, and the number of the mount, as of Linux 5.8. 0, or -1. */
int bootgate_glimpse(int directory, const char *name, uint64_t *device, uint32_t *mode, uint64_t *mount);

/* setpriority(2) and ioprio_set(2) of the calling thread alone: `nice` more than now, and idle or best effort of the
 * lowest level. What the kernel refuses is left as it was. */
void bootgate_lower_priority(int nice, int idle);

#endif
