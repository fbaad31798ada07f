"""Starts JupyterLab, logs how long it took until it answered, and stays until it ends. The command comes as arguments."""

import subprocess
import sys
import time
import urllib.error
import urllib.request

import mlflow

ADDRESS = "http://127.0.0.1:8888/api"
WAIT_SECONDS_MAX = 600

command = [word for word in sys.argv[1:] if not word.startswith("--data=")]
began = time.monotonic()
server = subprocess.Popen(command)
while server.poll() is None and time.monotonic() - began < WAIT_SECONDS_MAX:
    try:
        with urllib.request.urlopen(ADDRESS, timeout=5):
            break
    except (urllib.error.URLError, OSError):
        time.sleep(0.2)
if server.poll() is None:
    with mlflow.start_run():
        mlflow.log_metric("ready_seconds", time.monotonic() - began)
    print(f"ready after {time.monotonic() - began:.1f} seconds", flush=True)
raise SystemExit(server.wait())
