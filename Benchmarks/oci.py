"""oci.py: writes an OCI bundle whose container has what our sandboxes have.

`oci.py BUNDLE DIRECTORY SYSCALLS`: the last is a file with a name a line.
"""

import json
import os
import sys

NAMESPACES = ["pid", "network", "ipc", "uts", "mount", "cgroup"]


def mount(kind, destination, *options, source=None):
    return {"type": kind, "source": source or kind, "destination": destination, "options": list(options)}


def configuration(bundle, root, syscalls):
    quiet = ["nosuid", "nodev"]
    binds = [mount("bind", path, "rbind", "ro", *quiet, source=path) for path in ["/usr"]]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 65534, "gid": 65534}, "args": ["/app/server"], "env": ["PORT=8080"], "cwd": "/app",
            "noNewPrivileges": True, "capabilities": {},
        },
        "root": {"path": root, "readonly": True},
        "hostname": "bench",
        "mounts": [
            mount("proc", "/proc", "nosuid", "nodev", "noexec"),
            mount("tmpfs", "/dev", "nosuid", "mode=755", "size=1m"),
            mount("tmpfs", "/tmp", "nosuid", "nodev", "size=64m"),
            mount("bind", "/app", "rbind", "ro", *quiet, source=bundle),
        ] + binds,
        "linux": {
            "namespaces": [{"type": kind} for kind in NAMESPACES],
            "resources": {
                "memory": {"limit": 256 << 20}, "pids": {"limit": 65}, "cpu": {"quota": 100000, "period": 100000}},
            "seccomp": {
                "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                "syscalls": [{"names": syscalls, "action": "SCMP_ACT_ALLOW"}],
            },
        },
    }


def main():
    bundle, directory, allowlist = sys.argv[1:]
    root = os.path.join(directory, "root")
    for name in ["proc", "dev", "tmp", "app", "usr"]:
        os.makedirs(os.path.join(root, name), exist_ok=True)
    for name in ["lib", "lib64"]:
        os.symlink(f"usr/{name}", os.path.join(root, name))
    os.makedirs(os.path.join(directory, "state"), exist_ok=True)
    with open(allowlist) as file:
        syscalls = file.read().split()
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(configuration(bundle, root, syscalls), file, indent=1)


main()
