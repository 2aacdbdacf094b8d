// shim.h: the part of libyaml that the composer uses.
#include <yaml.h>
