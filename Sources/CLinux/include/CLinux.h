// CLinux.h: Linux calls that Swift's Glibc module does not show, one header per room that needs them.
#ifndef CLINUX_H
#define CLINUX_H
#include "clinux_builds.h"
#include "clinux_edge.h"
#include "clinux_git.h"
#include "clinux_heap.h"
#include "clinux_runners.h"
#include "clinux_files.h"
#include "clinux_process.h"
#endif
