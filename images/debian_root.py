"""A minimal Debian 12 with Python as an image layer, made by debootstrap from the mirror this machine already uses."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from oci import Layer, read_layer, write_layer

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3")
_LEFT_OUT = ("var/lib/apt/lists", "var/cache/apt", "usr/share/doc", "usr/share/man", "usr/share/locale")


def base_layer(cache: Path) -> Layer:
    """Return the layer, made once into `cache`; needs root and debootstrap."""
    recipe = repr((2, SUITE, PACKAGES, _LEFT_OUT)).encode()
    target = cache / f"base-{hashlib.sha256(recipe).hexdigest()[:12]}.tar"
    if target.exists():
        return read_layer(target)
    print(f"debootstrap of {SUITE}: about a minute, once", flush=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        root = Path(folder) / "root"
        log = cache / "debootstrap.log"
        with log.open("w") as output:
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root, mirror()],
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise SystemExit(f"debootstrap failed; the end of {log}:\n{log.read_text()[-2000:]}")
        for left_out in _LEFT_OUT:
            shutil.rmtree(root / left_out, ignore_errors=True)
            (root / left_out).mkdir(parents=True)
        # What names this machine or its mirror stays out.
        for private in ("etc/apt/sources.list", "etc/hostname", "etc/resolv.conf", "var/log/bootstrap.log"):
            (root / private).unlink(missing_ok=True)
        # Debian's byte code of Python's own library is valid only beside sources of the same time.
        return write_layer(root, target, keep_times=True)


def mirror() -> str:
    """Return the archive that apt on this machine takes SUITE from; ends the program if it has none."""
    printed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in printed.splitlines():
        site, _, rest = line.partition(" ")
        if rest == f"{SUITE} main":
            return site
    raise SystemExit(f"apt on this machine has no source for {SUITE} main; build with Docker instead")
