"""peers.py: the proxies of the edge bench: their ports, configuration and commands, each with one worker and fifty hosts."""

import json
import os
import shutil

BACKEND_PORT = 9001
HOST = "app7.test"  # one of the hosts that every proxy routes
HOSTS = 50
CONNECTIONS_MAX = 4096


def host_names(count=HOSTS):
    return ["app.test"] + [f"app{number}.test" for number in range(1, count)]


def nginx(port):
    """One process, as `events` and `http` of a plain reverse proxy with a pool of kept upstream connections."""
    temporary = "".join(f"{kind}_temp_path nginx-{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    servers = "".join(
        f"server {{ listen 127.0.0.1:{port}; server_name {name}; location / {{ proxy_pass http://backend; }} }}\n"
        for name in host_names())
    return f"""worker_processes 1; daemon off; master_process off; error_log nginx.log crit; pid nginx.pid;
events {{ worker_connections {CONNECTIONS_MAX}; use epoll; }}
http {{
access_log off; server_tokens off; tcp_nodelay on; keepalive_requests 100000000;
{temporary}upstream backend {{ server 127.0.0.1:{BACKEND_PORT}; keepalive 256; keepalive_requests 100000000; }}
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $remote_addr;
server {{ listen 127.0.0.1:{port} default_server backlog=1024; return 404; }}
{servers}}}
"""


def haproxy(port, directory):
    with open(os.path.join(directory, "haproxy.map"), "w") as file:
        file.writelines(f"{name} backend\n" for name in host_names())
    return f"""global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend clients
  bind 127.0.0.1:{port} backlog 1024
  use_backend %[req.hdr(host),field(1,:),lower,map({directory}/haproxy.map)]
backend backend
  server only 127.0.0.1:{BACKEND_PORT} pool-max-conn 512
"""


def envoy(port):
    extensions = "type.googleapis.com/envoy.extensions.filters"
    hosts = [
        {"name": name, "domains": [name, f"{name}:{port}"],
         "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "backend"}}]}
        for name in host_names()]
    manager = {
        "@type": f"{extensions}.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "clients",
        "codec_type": "HTTP1", "generate_request_id": False, "use_remote_address": True,
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": f"{extensions}.http.router.v3.Router", "suppress_envoy_headers": True}}]}
    def at(where):
        return {"socket_address": {"address": "127.0.0.1", "port_value": where}}

    limits = {"max_connections": CONNECTIONS_MAX, "max_pending_requests": CONNECTIONS_MAX, "max_requests": CONNECTIONS_MAX}
    return json.dumps({"static_resources": {
        "listeners": [{"address": at(port), "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [{
            "name": "backend", "connect_timeout": "5s", "type": "STATIC",
            "circuit_breakers": {"thresholds": [limits]},
            "load_assignment": {
                "cluster_name": "backend",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": at(BACKEND_PORT)}}]}]}}]}})


def traefik(port, directory):
    routers = "".join(
        f"    r{number}: {{rule: 'Host(`{name}`)', service: backend, entryPoints: [web]}}\n"
        for number, name in enumerate(host_names()))
    with open(os.path.join(directory, "traefik-routes.yml"), "w") as file:
        file.write(
            f"http:\n  routers:\n{routers}  services:\n    backend:\n      loadBalancer:\n"
            f"        servers: [{{url: 'http://127.0.0.1:{BACKEND_PORT}'}}]\n")
    return f"""global: {{checkNewVersion: false, sendAnonymousUsage: false}}
entryPoints: {{web: {{address: '127.0.0.1:{port}'}}}}
serversTransport: {{maxIdleConnsPerHost: 512}}
providers: {{file: {{filename: {directory}/traefik-routes.yml}}}}
log: {{level: ERROR}}
"""


def caddy(port):
    sites = "".join(
        f"http://{name}:{port} {{\n reverse_proxy 127.0.0.1:{BACKEND_PORT} {{\n"
        "  transport http {\n   keepalive_idle_conns_per_host 512\n  }\n }\n}\n" for name in host_names())
    return "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n persist_config off\n}\n" + sites


def meridian(directory, hosts=HOSTS):
    """The data directory of a node that serves by a saved assignment: every host leads to the backend's address."""
    data = os.path.join(directory, f"meridian-{hosts}")
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(os.path.join(data, "node"), mode=0o700)
    routes = [
        {"host": name, "app": "default/app", "backends": [{"address": f"127.0.0.1:{BACKEND_PORT}", "weight": 100}]}
        for name in sorted(host_names(hosts))]
    with open(os.path.join(data, "node", "assignment.json"), "w") as file:
        json.dump({"number": 1, "region": "local", "routes": {"number": 1, "hosts": routes}}, file)
    return data


class Peer:
    """One proxy: what starts it, and the port that it serves."""

    def __init__(self, name, port, command, environment=None):
        self.name, self.port, self.command, self.environment = name, port, command, environment or {}


def peers(directory, environment_directory, program, edge_command):
    """Every proxy of the table, in its order; `edge_command` replaces the meridian program where it is given."""

    def find(tool):
        places = os.pathsep.join([os.path.join(environment_directory, "bin"), os.environ.get("PATH", ""), "/usr/sbin"])
        return shutil.which(tool, path=places) or tool

    def written(name, text):
        path = os.path.join(directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def edge(port, hosts=HOSTS, loops=1):
        if edge_command:
            words = {"port": port, "backend": BACKEND_PORT, "hosts": hosts, "loops": loops}
            return [word.format(**words) for word in edge_command]
        return [
            program, "node", "--data", meridian(directory, hosts), "--edge", f"127.0.0.1:{port}", "--loops", str(loops)]

    single = {"GOMAXPROCS": "1", "HOME": directory}
    rows = [
        Peer("forwarder", 9121, [os.path.join(directory, "forwarder"), "9121", str(BACKEND_PORT)]),
        Peer("nginx", 9101, [
            find("nginx"), "-p", directory + "/", "-c", written("nginx.conf", nginx(9101)),
            "-e", os.path.join(directory, "nginx.log")]),
        Peer("haproxy", 9103, [find("haproxy"), "-f", written("haproxy.cfg", haproxy(9103, directory))]),
        Peer("envoy", 9105, [
            find("envoy"), "-c", written("envoy.json", envoy(9105)), "--concurrency", "1", "-l", "error",
            "--disable-hot-restart"]),
        Peer("traefik", 9107, [find("traefik"), "--configFile=" + written("traefik.yml", traefik(9107, directory))], single),
        Peer("caddy", 9106, [
            find("caddy"), "run", "--config", written("Caddyfile", caddy(9106)), "--adapter", "caddyfile"], single),
        Peer("meridian", 9150, edge(9150)),
    ]
    return {peer.name: peer for peer in rows}, edge
