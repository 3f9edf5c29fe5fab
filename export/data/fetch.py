"""Packages by name through the system's own package clients, verified, cached and unpacked."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from edge.errors import ExportError
from export.data.recipes import Package

DEFAULT_CACHE = Path("~/.cache/roomtone").expanduser()
TIMEOUT_S = 1800


def fetch(package: Package, cache: Path = DEFAULT_CACHE) -> Path:
    """The folder of an unpacked package; downloads and unpacks only what the cache lacks.

    Raises ExportError when the package cannot be had or its SHA-256 is not the recipe's.
    """
    root = unpacked_at(package, cache)
    if root.is_dir():
        return root
    archive = _archive(package, cache / "archives")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        unpacked = Path(scratch) / "root"
        _unpack(archive, unpacked)
        for inner in [path for pattern in package.nested for path in unpacked.glob(pattern)]:
            _unpack(inner, inner.with_suffix(""))
        try:
            unpacked.rename(root)
        except OSError:
            if not root.is_dir():  # another process was faster
                raise
    return root


def unpacked_at(package: Package, cache: Path) -> Path:
    """The folder that a package is unpacked in, whether it is there or not."""
    return cache / "unpacked" / f"{package.name}-{package.version.replace(':', '_')}"


def fetch_all(packages: Iterable[Package], cache: Path = DEFAULT_CACHE) -> dict[str, Path]:
    """Package name to folder, with a progress bar when stderr is a terminal."""
    bar = tqdm(list(packages), desc="packages", unit="package", disable=None)
    return {package.name: fetch(package, cache) for package in bar}


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _archive(package: Package, folder: Path) -> Path:
    """The verified archive of a package. A damaged cached one is fetched again."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{package.source}-{package.name}-{package.sha256[:16]}"
    for path in kept.glob("*") if kept.is_dir() else ():
        if sha256_of(path) == package.sha256:
            return path
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        found = _download(package, Path(scratch))
        digest = sha256_of(found)
        if digest != package.sha256:
            raise ExportError(f"{package.name} {package.version}: SHA-256 {digest} is not the recipe's "
                              f"{package.sha256}; update export/data/packages.toml if the new file is wanted")
        kept.mkdir(exist_ok=True)
        return Path(shutil.move(found, kept / found.name))


def _download(package: Package, folder: Path) -> Path:
    command = _apt(package) if package.source == "debian" else _pip(package)
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise ExportError(f"{package.name}: needs {command[0]}, which this machine does not have") from error
    except subprocess.TimeoutExpired as error:
        raise ExportError(f"{package.name}: no answer within {TIMEOUT_S} s; try again") from error
    found = [path for path in folder.iterdir() if path.is_file()]
    if done.returncode != 0 or len(found) != 1:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ExportError(f"{package.name} {package.version}: {command[0]} could not download it: "
                          f"{said[-1] if said else 'no message'}")
    return found[0]


def _apt(package: Package) -> list[str]:
    return ["apt-get", "download", f"{package.name}={package.version}"]


def _pip(package: Package) -> list[str]:
    form = "--no-binary" if package.form == "sdist" else "--only-binary"
    wanted = f"{package.name}=={package.version}"
    return [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", form, package.name, wanted]


def _unpack(archive: Path, folder: Path) -> None:
    """Extract a .deb, wheel, zip or tar; members that would leave the folder are refused or renamed inside it."""
    folder.mkdir()
    try:
        if archive.suffix == ".deb":
            subprocess.run(["dpkg", "-x", str(archive), str(folder)], check=True, capture_output=True)
        elif zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        else:
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
    except (OSError, zipfile.BadZipFile, tarfile.TarError, subprocess.CalledProcessError) as error:
        raise ExportError(f"{archive.name}: cannot be unpacked: {error}") from error
