// libpq, and what Glibc's module does not export.
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
