"""figures.py: times the meridian program from outside and prints medians; started by Benchmarks/run."""

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import api as api_figures

APPS = 1000
REPETITIONS = 5
COLD_STARTS = 50

SERVER = r"""
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) return 1;
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int connection = accept(listener, 0, 0);
        // A process per connection: every loop of the edge keeps one of its own.
        if (fork() != 0) {
            close(connection);
            continue;
        }
        char buffer[8192];
        const char *answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
        while (read(connection, buffer, sizeof buffer) > 0)
            if (write(connection, answer, strlen(answer)) < 0) break;
        exit(0);
    }
}
"""


def app(number):
    return f"""apiVersion: meridian.dev/v1
kind: App
metadata:
  name: app-{number:04}
  labels: {{team: team-{number % 10}, tier: web}}
spec:
  source: {{path: ./server}}
  build: {{preset: c}}
  env: {{GREETING: "hello {number}", LEVEL: info}}
  resources: {{memory: 64Mi, cpu: "1", pids: 64}}
  requestTimeout: 30s
  scaling: {{min: 0, max: 10, target: {{concurrency: 50}}, idleAfter: 60s}}
"""


def median_seconds(command, expected):
    """The median wall time of a command over some runs, each of which must exit as expected."""
    seconds = []
    for _ in range(REPETITIONS):
        start = time.monotonic()
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        seconds.append(time.monotonic() - start)
        if code not in expected:
            sys.exit(f"{' '.join(command)}: exit code {code}")
    return statistics.median(seconds)


class Platform:
    """A `meridian up` of its own."""

    def __init__(self, program, directory):
        self.data = os.path.join(directory, "data")
        self.process = subprocess.Popen(
            [program, "up", "--data", self.data, "--api", "127.0.0.1:0", "--edge", "127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        path = os.path.join(self.data, "server.json")
        for _ in range(600):
            if os.path.exists(path) and os.path.getsize(path):
                break
            time.sleep(0.05)
        with open(path) as file:
            server = json.load(file)
        self.api, self.edge = server["api"], server["edge"][0].split("//")[1]

    def cpu_seconds(self):
        """User and system time of the control plane so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def manifest_files(directory, numbers):
    """A directory of App manifests, one file each, that share the source of one small C server."""
    files = os.path.join(directory, "apps")
    os.makedirs(os.path.join(files, "server"))
    with open(os.path.join(files, "server", "main.c"), "w") as file:
        file.write(SERVER)
    with open(os.path.join(files, "server", "Makefile"), "w") as file:
        file.write("server: main.c\n\t$(CC) -O2 -static -o server main.c\n")
    for number in numbers:
        with open(os.path.join(files, f"app-{number:04}.yaml"), "w") as file:
            file.write(app(number))
    return files


def manifests(program, directory):
    """validate and plan over 1,000 App manifests, on a platform that has none of them."""
    files = manifest_files(directory, range(APPS))
    print(f"validate {APPS} App manifests: {median_seconds([program, 'validate', '-f', files], {0}):.3f} s")
    platform = Platform(program, directory)
    try:
        plan = [program, "plan", "-f", files, "--server", platform.api]
        print(f"plan of {APPS} new apps: {median_seconds(plan, {2}):.3f} s")
    finally:
        platform.stop()


def idle(program, directory):
    """CPU of a control plane that has 1,000 apps, all built, checked and at zero, and nothing to do."""
    files = manifest_files(directory, range(APPS))
    platform = Platform(program, directory)
    try:
        start = time.monotonic()
        subprocess.run(
            [program, "apply", "-f", files, "--server", platform.api, "--wait=30m"], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(f"apply {APPS} apps until all are built, checked and routed: {time.monotonic() - start:.1f} s")
        plan = [program, "plan", "-f", files, "--server", platform.api]
        print(f"plan of {APPS} unchanged apps: {median_seconds(plan, {0}):.3f} s")
        time.sleep(5)
        before, start = platform.cpu_seconds(), time.monotonic()
        time.sleep(20)
        used = (platform.cpu_seconds() - before) / (time.monotonic() - start)
        print(f"idle CPU of the control plane with {APPS} apps: {100 * used:.2f} % of one core")
    finally:
        platform.stop()


def cold(program, directory):
    """The first answer of an app at zero against one that is running."""
    files = manifest_files(directory, [])
    with open(os.path.join(files, "app.yaml"), "w") as file:
        file.write(app(0).replace("idleAfter: 60s", "idleAfter: 100ms"))
    platform = Platform(program, directory)
    try:
        subprocess.run(
            [program, "apply", "-f", os.path.join(files, "app.yaml"), "--server", platform.api, "--wait=5m"], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = {"cold": [], "hot": []}
        for _ in range(COLD_STARTS):
            for _ in range(3):
                connection = http.client.HTTPConnection(platform.edge)
                start = time.monotonic()
                connection.request("GET", "/", headers={"Host": "app-0000.default.localhost"})
                answer = connection.getresponse()
                answer.read()
                seconds[answer.headers["x-meridian-temperature"]].append(time.monotonic() - start)
                connection.close()
            time.sleep(0.6)
        for temperature, values in seconds.items():
            if values:
                print(
                    f"{temperature} request of a C server through the edge: median "
                    f"{1000 * statistics.median(values):.2f} ms, worst {1000 * max(values):.2f} ms of {len(values)}")
    finally:
        platform.stop()


def api(program, directory):
    """The API under kubectl and plain HTTP clients."""
    platform = Platform(program, directory)
    try:
        api_figures.measure(platform, directory)
    finally:
        platform.stop()


def main():
    program, parts = sys.argv[1], sys.argv[2:]
    known = {"manifests": manifests, "idle": idle, "cold": cold, "api": api}
    for part in parts:
        if part not in known:
            sys.exit(f"{part}: not one of {', '.join(known)}")
        with tempfile.TemporaryDirectory() as directory:
            known[part](program, directory)


main()
