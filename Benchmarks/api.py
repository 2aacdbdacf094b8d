"""api.py: times the API as kubectl and plain HTTP clients see it; started by `Benchmarks/run api`.

Every figure stands beside that of a Kubernetes API server with etcd on two cores (same objects and client), measured
once and kept here as YARDSTICK, since such a server is not at hand everywhere.
"""

import http.client
import json
import os
import select
import shutil
import socket
import statistics
import subprocess
import threading
import time
import urllib.parse

OBJECTS = 1000
LISTED = 6000
WATCHERS = 100
UPDATES = 20

# Seconds, except for memory in megabytes.
YARDSTICK = {
    "apply new": 5.3, "apply again": 3.9, "diff unchanged": 6.8, "diff changed": 7.7, "list": 1.33,
    "list from cache": 0.23, "fan-out p50": 0.0128, "fan-out p99": 0.022, "memory": 573,
}

COLLECTION = "/apis/meridian.dev/v1/namespaces/default/apps"


def manifest(number, greeting="hello"):
    """An App of some 465 bytes that no source was uploaded for, so that nothing is built while the API is timed."""
    return {
        "apiVersion": "meridian.dev/v1", "kind": "App",
        "metadata": {"name": f"app-{number:04}", "namespace": "default",
                     "labels": {"team": f"team-{number % 10}", "tier": "web"}},
        "spec": {"source": {"path": "./server"}, "build": {"preset": "c"},
                 "env": {"GREETING": f"{greeting} {number}", "LEVEL": "info"},
                 "resources": {"memory": "64Mi", "cpu": "1", "pids": 64}, "requestTimeout": "30s",
                 "scaling": {"min": 0, "max": 10, "target": {"concurrency": 50}, "idleAfter": "60s"}},
    }


class Client:
    """One kept connection to the API."""

    def __init__(self, server):
        self.address = urllib.parse.urlsplit(server)
        self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port)

    def send(self, method, path, body=None, content="application/json"):
        headers = {"Content-Type": content} if body is not None else {}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def apply(self, item, query=""):
        path = f"{COLLECTION}/{item['metadata']['name']}?fieldManager=bench{query}"
        return self.send("PATCH", path, item, "application/apply-patch+yaml")


def timed(action):
    """Wall time of a call in seconds."""
    start = time.monotonic()
    action()
    return time.monotonic() - start


def report(name, seconds, yardstick=None):
    ratio = f"  {seconds / YARDSTICK[yardstick]:.2f}x of a Kubernetes API server" if yardstick else ""
    print(f"{name:58} {seconds:8.3f} s{ratio}", flush=True)


def plain(server):
    """The API by plain HTTP over one connection."""
    client = Client(server)
    items = [manifest(number) for number in range(OBJECTS)]
    report(f"HTTP: server-side apply of {OBJECTS} new", timed(lambda: [client.apply(item) for item in items]))
    report(f"HTTP: the same again", timed(lambda: [client.apply(item) for item in items]))
    report(f"HTTP: dry run of {OBJECTS}, unchanged",
           timed(lambda: [client.apply(item, "&dryRun=All") for item in items]))
    for number in range(OBJECTS, LISTED):
        client.apply(manifest(number))
    lists = [timed(lambda: client.send("GET", COLLECTION)) for _ in range(9)]
    report(f"HTTP: list of {LISTED}, median", statistics.median(lists), "list")
    report(f"HTTP: list of {LISTED}, median, against its cached list", statistics.median(lists), "list from cache")


class Watchers:
    """Many watches read by one thread, so that what is timed is the server and not its client."""

    HEAD_END = b"\r\n\r\n"

    def __init__(self, server, count, query):
        address = urllib.parse.urlsplit(server)
        self.poll = select.epoll()
        self.sockets, self.unread = {}, {}
        for _ in range(count):
            watch = socket.create_connection((address.hostname, address.port))
            watch.sendall(f"GET {COLLECTION}?watch=1&{query} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            self.sockets[watch.fileno()], self.unread[watch.fileno()] = watch, b""
            self.poll.register(watch, select.EPOLLIN)
        self.await_text(self.HEAD_END)

    def await_text(self, text, seconds=30):
        """The times at which each watch had received the text."""
        times, deadline = {}, time.monotonic() + seconds
        while len(times) < len(self.sockets):
            ready = self.poll.poll(max(0, deadline - time.monotonic()))
            now = time.monotonic()
            if not ready:
                raise SystemExit(f"fan-out: {len(times)} of {len(self.sockets)} watches received {text!r}")
            for number, _ in ready:
                data = self.sockets[number].recv(1 << 16)
                if not data:
                    raise SystemExit("fan-out: the server ended a watch")
                self.unread[number] += data
                place = self.unread[number].find(text)
                if place >= 0:
                    self.unread[number] = self.unread[number][place + len(text):]
                    times[number] = now
        return list(times.values())


def fan_out(server):
    """How long an update takes to reach each of many watchers, from the moment before it is sent."""
    client = Client(server)
    version = json.loads(client.send("GET", COLLECTION + "?limit=1"))["metadata"]["resourceVersion"]
    watchers = Watchers(server, WATCHERS, f"resourceVersion={version}&labelSelector=fan%3Dout")
    item = manifest(LISTED)
    item["metadata"]["labels"] = {"fan": "out"}
    delays = []
    for update in range(UPDATES):
        item["spec"]["env"] = {"MARK": f"update-{update:02}"}
        # The status that follows the update before is not part of this one.
        time.sleep(0.5)
        sent = time.monotonic()
        writer = threading.Thread(target=client.apply, args=(item,))
        writer.start()
        delays += [seen - sent for seen in watchers.await_text(f'"MARK":"update-{update:02}"'.encode())]
        writer.join()
    ordered = sorted(delays)
    report(f"fan-out to {WATCHERS} watchers, p50", ordered[len(ordered) // 2], "fan-out p50")
    report(f"fan-out to {WATCHERS} watchers, p99", ordered[len(ordered) * 99 // 100], "fan-out p99")


def kubectl(server, directory):
    """The API by the unmodified kubectl, which spends most of the time itself."""
    program = shutil.which(os.environ.get("KUBECTL", "kubectl"))
    if program is None:
        print("kubectl: not found (set KUBECTL to one of 1.37); its figures are left out")
        return
    files = os.path.join(directory, "objects.yaml")
    base = [program, "--server", server, "--kubeconfig", "/dev/null"]

    def write(greeting):
        with open(files, "w") as file:
            file.write("\n---\n".join(json.dumps(manifest(number, greeting)) for number in range(OBJECTS)))

    def run(expected, *arguments):
        done = subprocess.run(base + list(arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode not in expected:
            raise SystemExit(f"kubectl {' '.join(arguments)}: exit {done.returncode}: {done.stderr[-500:]!r}")

    apply = ("apply", "--server-side", "--field-manager=bench", "--force-conflicts", "-f", files)
    diff = ("diff", "--server-side", "--field-manager=bench", "--force-conflicts", "-f", files)
    write("hello")
    report(f"kubectl: server-side apply of {OBJECTS} new", timed(lambda: run({0}, *apply)), "apply new")
    report(f"kubectl: the same again", timed(lambda: run({0}, *apply)), "apply again")
    report(f"kubectl: diff --server-side, unchanged", timed(lambda: run({0}, *diff)), "diff unchanged")
    write("bye")
    report(f"kubectl: diff --server-side, all changed", timed(lambda: run({1}, *diff)), "diff changed")


def empty(server):
    """Deletes all apps and waits until they are gone."""
    client = Client(server)
    client.send("DELETE", COLLECTION)
    for _ in range(600):
        if not json.loads(client.send("GET", COLLECTION + "?limit=1"))["items"]:
            return
        time.sleep(0.2)
    raise SystemExit("the apps were not gone after two minutes")


def memory(pid):
    """Resident memory of a process in megabytes."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


def measure(platform, directory):
    """All figures of one platform, which is new and empty."""
    print(f"memory of the control plane at the start: {memory(platform.process.pid):.0f} MB")
    kubectl(platform.api, directory)
    empty(platform.api)
    plain(platform.api)
    fan_out(platform.api)
    used = memory(platform.process.pid)
    print(f"memory of the control plane at the end: {used:.0f} MB, {used / YARDSTICK['memory']:.2f}x "
          "of a Kubernetes API server (without its etcd)")
