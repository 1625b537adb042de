#!/usr/bin/env bash
# Papermill types a parameter by its looks, differently by option, and only warns of unknown names.
#
# Seen with papermill 2.7.0 and PyYAML 6.0.3, Python 3.11. The parameters cell has typed defaults
# (switch = True, amount = 0, name = ""); papermill does not look at them. With -p, `false` is text,
# which counts as true; `NAN` and `Infinity` are floats; `010` is 10. With -y the same words go
# through YAML 1.1: `010` is 8, `1e5` is text, `NO` is false, `1:30` is 90. A misspelled name is
# injected beside the parameter, whose default stays in force, and the exit code is 0.
#
# Output seen:
#   papermill 2.7.0
#   -p: 'false' 10 100000.0 nan
#   -y: False 8 '1e5' False
#   misspelled: 0, exit code 0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "papermill==2.7.0" "pyyaml==6.0.3" "ipykernel==7.4.0"
cat > "$folder/run.py" <<'PYTHON'
import subprocess, sys
from importlib.metadata import version
from pathlib import Path

import nbformat

here = Path(sys.argv[1])
cells = ["switch = True\namount = 0\nlarge = 0\nname = ''", "print(repr(switch), amount, repr(large), name)"]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
notebook.cells[0].metadata["tags"] = ["parameters"]
notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
nbformat.write(notebook, here / "in.ipynb")


def shown(*options):
    command = [sys.executable, "-m", "papermill", str(here / "in.ipynb"), str(here / "out.ipynb")]
    done = subprocess.run([*command, "-k", "python3", *options], stderr=subprocess.DEVNULL, cwd=here)
    output = nbformat.read(here / "out.ipynb", as_version=4).cells[-1].outputs[0].text.strip()
    return done.returncode, output


print("papermill", version("papermill"))
words = {"switch": "false", "amount": "010", "large": "1e5", "name": "NAN"}
_, typed = shown(*(part for name, word in words.items() for part in ("-p", name, word)))
print("-p:", typed)
_, yaml11 = shown("-y", "{switch: false, amount: 010, large: 1e5, name: NO}")
print("-y:", yaml11)
code, text = shown("-p", "amuont", "5")
print(f"misspelled: {text.split()[1]}, exit code {code}")
expected = ("'false' 10 100000.0 nan", "False 8 '1e5' False", 0, "0")
sys.exit(0 if (typed, yaml11, code, text.split()[1]) == expected else 1)
PYTHON
PATH="$folder/venv/bin:$PATH" timeout 300 "$folder/venv/bin/python" "$folder/run.py" "$folder"
