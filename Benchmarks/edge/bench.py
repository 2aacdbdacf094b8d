"""bench.py: Meridian's edge and other proxies in front of one backend, in one go; started by Benchmarks/edge/run.

CPU is the on-CPU time of all threads of a proxy and its children, read before and after a round of load, so a busy
machine disturbs it less than it does the clock. Every proxy runs once a round, in an order that rotates; the tables hold medians.
"""

import argparse
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from peers import BACKEND_PORT, HOST, peers

PROXY_CORE, LOAD_CORE = "0", "1"
IDLE_CONNECTIONS = 10_000
MANY_HOSTS = 100_000
# What the edge promises: its CPU per request over a peer's, in the same run.
BOUNDS = {"forwarder": 1.10, "nginx": 0.80, "haproxy": 0.72, "envoy": 0.25}
LARGE_BODY, LARGE_BOUND = 10_000, 0.85
SYSCALLS_BOUND, TWO_LOOPS_BOUND, MANY_HOSTS_BOUND, IDLE_BYTES_BOUND = 4.3, 1.1, 1.1, 2048
MANY_HOSTS_BYTES_BOUND = 10 << 20


class Process:
    """A started program; `stop` ends it with its children."""

    def __init__(self, command, log, cores=None, environment=None):
        pinned = ["taskset", "-c", cores] if cores else []
        with open(log, "w") as file:
            self.handle = subprocess.Popen(
                pinned + command, stdout=subprocess.DEVNULL, stderr=file, env={**os.environ, **(environment or {})})

    def tree(self):
        found, left = [], [self.handle.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as file:
                        left += map(int, file.read().split())
            except OSError:
                pass  # It has just ended.
        return found

    def cpu_seconds(self):
        nanoseconds = 0
        for pid in self.tree():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        nanoseconds += int(file.read().split()[0])
            except OSError:
                pass
        return nanoseconds / 1e9

    def resident_bytes(self):
        total = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/statm") as file:
                    total += int(file.read().split()[1]) * resource.getpagesize()
            except OSError:
                pass
        return total

    def stop(self):
        for pid in reversed(self.tree()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.handle.wait()


class Bench:
    """The stand: a folder with compiled programs and configuration, and the backend."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        for name in ("backend", "forwarder"):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".c")
            subprocess.run(["gcc", "-O2", "-o", os.path.join(directory, name), source], check=True)
        self.peers, self.edge = peers(
            directory, options.environment, options.program, shlex.split(options.edge_command or ""))

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, command, name, port, cores, environment=None):
        if answers(port):
            sys.exit(f"port {port} is in use; stop what listens there")
        process = Process(command, self.path(name + ".err"), cores, environment)
        for _ in range(600):
            if answers(port):
                return process
            if process.handle.poll() is not None:
                break
            time.sleep(0.05)
        process.stop()
        with open(self.path(name + ".err")) as file:
            sys.exit(f"{name} does not listen on {port}:\n{file.read()[-2000:]}")

    def backend(self, body):
        return self.start([self.path("backend"), str(BACKEND_PORT), str(body)], "backend", BACKEND_PORT, LOAD_CORE)

    def proxy(self, name, cores=PROXY_CORE):
        peer = self.peers[name]
        return self.start(peer.command, name, peer.port, cores, peer.environment)

    def load(self, port, seconds):
        """One round of wrk: requests, p50 and p99 in microseconds."""
        fields = ["Host: " + HOST, "User-Agent: wrk/4.1", "Accept: */*", "Accept-Encoding: gzip, deflate, br"]
        command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{self.options.connections}", f"-d{seconds}s", "--latency"]
        for field in fields:
            command += ["-H", field]
        text = subprocess.run(
            command + [f"http://127.0.0.1:{port}/api/items?id=42"], capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in text or "Socket errors" in text:
            sys.exit(f"port {port} does not answer as it should:\n{text}")
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        return requests, microseconds(text, 50), microseconds(text, 99)

    def table(self, names, body):
        """Rows of medians by name: CPU seconds per 100,000 requests, p50, p99, resident bytes."""
        samples = {name: [] for name in names}
        running = {"backend": self.backend(body)}
        try:
            for name in names:
                running[name] = self.proxy(name)
            for number in range(self.options.rounds + 1):
                turn = number % len(names)
                for name in names[turn:] + names[:turn]:
                    before = running[name].cpu_seconds()
                    requests, p50, p99 = self.load(self.peers[name].port, self.options.seconds if number else 1)
                    cpu = (running[name].cpu_seconds() - before) * 1e5 / requests
                    # The first round warms up.
                    if number:
                        samples[name].append((cpu, p50, p99, running[name].resident_bytes()))
        finally:
            for process in running.values():
                process.stop()
        return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in samples.items()}

    def syscalls(self, name):
        """System calls per request, and the most frequent ones."""
        backend, proxy = self.backend(13), None
        try:
            proxy = self.proxy(name)
            self.load(self.peers[name].port, 1)
            output = self.path("strace.txt")
            targets = [word for pid in proxy.tree() for word in ("-p", str(pid))]
            tracer = subprocess.Popen(["strace", "-c", "-f", "-q", "-o", output] + targets, stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            requests, _, _ = self.load(self.peers[name].port, 2)
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
            calls = {}
            with open(output) as file:
                for line in file:
                    row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_0-9]+)$", line)
                    if row and row.group(2) != "total":
                        calls[row.group(2)] = int(row.group(1)) / requests
            return calls
        finally:
            backend.stop()
            if proxy:
                proxy.stop()

    def edge_cpu(self, port, hosts, loops, cores):
        """The edge alone with another table or more loops: median CPU per 100,000 requests, resident bytes."""
        backend, process = self.backend(13), None
        try:
            process = self.start(self.edge(port, hosts, loops), f"meridian-{hosts}-{loops}", port, cores)
            wait_for_route(port)
            self.load(port, 1)
            rows = []
            for _ in range(self.options.rounds):
                before = process.cpu_seconds()
                requests, _, _ = self.load(port, self.options.seconds)
                rows.append((process.cpu_seconds() - before) * 1e5 / requests)
            return statistics.median(rows), process.resident_bytes()
        finally:
            backend.stop()
            if process:
                process.stop()

    def idle_bytes(self):
        """Resident bytes that each of many idle keep-alive connections adds, after one request on each."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        backend, edge, clients = self.backend(13), None, []
        try:
            edge = self.proxy("meridian")
            port = self.peers["meridian"].port
            wait_for_route(port)
            self.load(port, 1)
            before = edge.resident_bytes()
            request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
            for _ in range(IDLE_CONNECTIONS):
                client = socket.create_connection(("127.0.0.1", port))
                client.sendall(request)
                client.recv(4096)
                clients.append(client)
            return (edge.resident_bytes() - before) / IDLE_CONNECTIONS
        finally:
            for client in clients:
                client.close()
            backend.stop()
            if edge:
                edge.stop()


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_for_route(port):
    """Waits until the edge has taken its table."""
    for _ in range(600):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            if b" 200 " in client.recv(64):
                return
        time.sleep(0.05)
    sys.exit(f"the edge on port {port} does not route {HOST}")


def microseconds(text, percentile):
    value, unit = re.search(rf"\n\s+{percentile}%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def verdict(value, bound):
    return f"≤ {bound:g}: {'kept' if value <= bound else '**not kept**'}"


def small_table(bench, names, lines):
    rows = bench.table(names, 13)
    own = rows["meridian"]
    lines += [
        "| proxy | CPU s / 100k requests | Meridian's share of it | bound | p50 µs | p99 µs | RSS MB |",
        "|---|---|---|---|---|---|---|"]
    for name, (cpu, p50, p99, resident) in rows.items():
        ratio = own[0] / cpu
        bound = verdict(ratio, BOUNDS[name]) if name in BOUNDS else ""
        share = "" if name == "meridian" else f"{ratio:.2f}"
        lines.append(f"| {name} | {cpu:.3f} | {share} | {bound} | {p50:.0f} | {p99:.0f} | {resident / 2**20:.1f} |")
    return own[0]


def large_table(bench, lines):
    rows = bench.table(["nginx", "haproxy", "meridian"], LARGE_BODY)
    ratio = rows["meridian"][0] / rows["nginx"][0]
    words = ", ".join(f"{name} {row[0]:.3f}" for name, row in rows.items())
    lines.append(f"| CPU s / 100k requests with {LARGE_BODY:,} byte bodies: {words} | {ratio:.2f} × nginx | {verdict(ratio, LARGE_BOUND)} |")


def single_figures(bench, lines):
    for name in ("nginx", "haproxy", "meridian"):
        calls = bench.syscalls(name)
        total = sum(calls.values())
        words = ", ".join(f"{call} {count:.2f}" for call, count in sorted(calls.items(), key=lambda row: -row[1])[:4])
        bound = verdict(total, SYSCALLS_BOUND) if name == "meridian" else ""
        lines.append(f"| {name}: system calls per request ({words}) | {total:.2f} | {bound} |")
    one, small = bench.edge_cpu(9151, 50, 1, PROXY_CORE)
    many, large = bench.edge_cpu(9152, MANY_HOSTS, 1, PROXY_CORE)
    lines.append(f"| CPU of a request with {MANY_HOSTS:,} hosts in the table over one with 50 | {many / one:.2f} | {verdict(many / one, MANY_HOSTS_BOUND)} |")
    lines.append(
        f"| resident MB that {MANY_HOSTS:,} hosts add to the process, reading the table included | {(large - small) / 2**20:.1f} | |")
    shared, _ = bench.edge_cpu(9153, 50, 1, "0,1")
    double, _ = bench.edge_cpu(9154, 50, 2, "0,1")
    lines.append(
        f"| CPU of a request with two loops over one loop, both on cores 0 and 1 | {double / shared:.2f} | {verdict(double / shared, TWO_LOOPS_BOUND)} |")
    idle = bench.idle_bytes()
    lines.append(f"| resident bytes per connection of {IDLE_CONNECTIONS:,} idle ones | {idle:.0f} | {verdict(idle, IDLE_BYTES_BOUND)} |")


def record(path, lines):
    """Replaces what stands between the marks in Benchmarks.md."""
    with open(path) as file:
        text = file.read()
    start, end = "<!-- edge bench: written by make bench-edge -->\n", "<!-- end of edge bench -->\n"
    if start not in text or end not in text:
        sys.exit(f"{path} has no place for the table: the two comments around it are missing")
    head, rest = text.split(start)
    with open(path, "w") as file:
        file.write(head + start + "\n".join(lines) + "\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the meridian program")
    parser.add_argument("--environment", required=True, help="the Python environment that holds envoy, traefik and caddy")
    parser.add_argument("--record", help="the Markdown file that gets the tables")
    parser.add_argument("--edge-command", help="measures another program as the edge; {port} {backend} {hosts} {loops} are filled in")
    parser.add_argument("--only", choices=["small", "large", "figures"], help="one part instead of all")
    parser.add_argument("--peers", default="forwarder,nginx,haproxy,envoy,traefik,caddy", help="the peers of the first table")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of one round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(options, directory)
        wanted = options.peers.split(",") + ["meridian"]
        names = [name for name in wanted if shutil.which(bench.peers[name].command[0])]
        for name in set(wanted) - set(names):
            print(f"{name} is not installed and left out", file=sys.stderr)
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        lines = [
            f"{os.uname().sysname} {os.uname().release}, {os.cpu_count()} cores, load average {load} before the run;"
            f" {options.connections} keep-alive connections, medians of {options.rounds} rounds of {options.seconds} s,"
            " proxy on core 0, wrk and backend on core 1.", ""]
        if options.only in (None, "small"):
            small_table(bench, names, lines)
        further = []
        if options.only in (None, "large"):
            large_table(bench, further)
        if options.only in (None, "figures"):
            single_figures(bench, further)
        if further:
            lines += ["", "| what | figure | bound |", "|---|---|---|"] + further
        print("\n".join(lines))
        if options.record:
            record(options.record, lines)


main()
