// libpq, and what Glibc's module does not export.
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// Names the calling thread, for `top -H` and debuggers; prctl itself is variadic, which Swift cannot call.
static inline void reconciled_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

enum { RECONCILED_READABLE = 1, RECONCILED_WRITABLE = 2, RECONCILED_WOKEN = 4 };

// Waits until `socket` (unless negative) is what `wanted` asks of RECONCILED_READABLE and RECONCILED_WRITABLE, or `wakeup`,
// an eventfd, is signalled, which resets it. Returns a set of RECONCILED_ flags; 0 when `timeout_ms` passed or a signal
// came; -1 when poll failed.
static inline int reconciled_wait(int socket, int wanted, int wakeup, int timeout_ms) {
    short events = (short)((wanted & RECONCILED_READABLE ? POLLIN : 0) | (wanted & RECONCILED_WRITABLE ? POLLOUT : 0));
    struct pollfd fds[2] = {{.fd = socket, .events = events}, {.fd = wakeup, .events = POLLIN}};
    int ready = poll(fds, 2, timeout_ms);
    if (ready <= 0) return ready == 0 || errno == EINTR ? 0 : -1;
    int flags = 0;
    if (fds[0].revents & POLLIN) flags |= RECONCILED_READABLE;
    if (fds[0].revents & POLLOUT) flags |= RECONCILED_WRITABLE;
    // Errors and hang-ups count as whatever was wanted: trying it is how libpq learns of them.
    if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) flags |= wanted;
    if (fds[1].revents & POLLIN) {
        eventfd_t count;
        eventfd_read(wakeup, &count);
        flags |= RECONCILED_WOKEN;
    }
    return flags;
}
