// shim.h: libseccomp, for filters.
#include <seccomp.h>
