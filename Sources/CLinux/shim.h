// What glibc has and Swift's Glibc module does not show, by names of our own.
#ifndef RECONCILED_CLINUX_SHIM_H
#define RECONCILED_CLINUX_SHIM_H

#include <stddef.h>
#include <sys/types.h>

ssize_t linux_copy_file_range(
    int from, long long *from_offset, int to, long long *to_offset, size_t length,
    unsigned int flags) __asm__("copy_file_range");

int linux_fallocate(int descriptor, int mode, long long offset, long long length) __asm__("fallocate");

int linux_renameat2(
    int from_directory, const char *from, int to_directory, const char *to, unsigned int flags) __asm__("renameat2");

// Swift reads `flock` as the struct of that name.
int linux_flock(int descriptor, int operation) __asm__("flock");

int linux_sync_file_range(
    int descriptor, long long offset, long long length, unsigned int flags) __asm__("sync_file_range");

enum { LINUX_FALLOC_FL_KEEP_SIZE = 1, LINUX_RENAME_NOREPLACE = 1, LINUX_SYNC_FILE_RANGE_WRITE = 2 };

#endif
