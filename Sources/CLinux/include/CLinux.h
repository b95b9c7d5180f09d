#ifndef BOOTGATE_CLINUX_H
#define BOOTGATE_CLINUX_H

/* System calls and constants that Swift's Glibc overlay leaves out. */
#include <sys/prctl.h>
#include <sys/random.h>

#endif
