"""The digest of every file, in two worker processes, in the order of the files."""

import hashlib
from pathlib import Path

import anyplace


def digest(path: Path) -> str:
    """Give the file's SHA-256 in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    files = sorted(Path().glob("LICENSE-*"))
    with anyplace.open("processes:2") as place:
        for path, found in zip(files, place.map(digest, files), strict=True):
            print(f"{found}  {path}")
