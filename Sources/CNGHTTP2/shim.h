// shim.h: HTTP/2 frames and header compression, as the edge uses them.
#include <nghttp2/nghttp2.h>
