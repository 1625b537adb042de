#!/usr/bin/env bash
# Voila stops a notebook at the first cell that fails, unless it renders progressively.
#
# Seen with voila 0.5.13, Python 3.11. A notebook has three cells: one that prints, one that raises,
# one that writes a file. By default a GET of its page runs the cells and stops at the error: no file.
# With --progressive_rendering=True the cells run when the page's script asks for them over the socket
# /voila/execution/<kernel>, and every cell runs, the ones after the error too: the file is written.
# A notebook that protects itself by raising in an early cell is not protected there.
#
# Output seen:
#   voila 0.5.13
#   default: file written: False
#   progressive rendering: file written: True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "voila==0.5.13" "ipykernel==7.4.0"
cat > "$folder/run.py" <<'PYTHON'
import json, os, re, socket, subprocess, sys, time, urllib.request
from importlib.metadata import version
from pathlib import Path

import nbformat
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

here = Path(sys.argv[1])
mark = here / "written"


def notebook():
    cells = ["print('first')", "raise RuntimeError('stop here')", f"open({str(mark)!r}, 'w').close()"]
    found = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    found.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(found, here / "page.ipynb")


async def execute(address, kernel):
    request = HTTPRequest(
        f"{address.replace('http', 'ws')}/voila/execution/{kernel}", headers={"Origin": address}
    )
    page = await websocket_connect(request)
    await page.write_message(json.dumps({"action": "execute", "payload": {"kernel_id": kernel}}))
    while True:
        message = json.loads(await page.read_message())
        payload = message["payload"]
        if message["action"] == "execution_result" and payload["cell_index"] == payload["total_cell"] - 1:
            return


def page(*options):
    mark.unlink(missing_ok=True)
    held = socket.socket()  # bound without listening: the server may listen there, no other
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "voila", str(here / "page.ipynb"), "--no-browser", f"--port={port}"]
    server = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL, cwd=here)
    try:
        for _ in range(120):
            try:
                text = urllib.request.urlopen(address, timeout=60).read().decode()
                break
            except OSError:
                time.sleep(0.5)
        if options:
            kernel = re.search(r'kernelId"?:\s*"([0-9a-f-]{36})"', text)[1]
            IOLoop().run_sync(lambda: execute(address, kernel), timeout=60)
        return mark.exists()
    finally:
        server.terminate()
        server.wait(20)
        held.close()


notebook()
print("voila", version("voila"))
default = page()
print("default: file written:", default)
progressive = page("--progressive_rendering=True")
print("progressive rendering: file written:", progressive)
sys.exit(0 if (default, progressive) == (False, True) else 1)
PYTHON
PATH="$folder/venv/bin:$PATH" timeout 300 "$folder/venv/bin/python" "$folder/run.py" "$folder"
