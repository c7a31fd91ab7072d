"""A statement that the package model-signing 1.1.1 signed, about a small folder, as a record."""

# The contents of the folder, by path; the paths of Git were ignored by model signing, and `emptydir` is a folder.
FILES = {
    ".cache": "content of .cache\n",
    ".gitattributes": "content of .gitattributes\n",
    ".gitignore": "content of .gitignore\n",
    "README.md": "content of README.md\n",
    "Z.txt": "content of Z.txt\n",
    "a b.txt": "content of a b.txt\n",
    "config.json": "content of config.json\n",
    "empty": "",
    "sub.txt": "content of sub.txt\n",
    "é.txt": "content of é.txt\n",
    ".git/HEAD": "content of .git/HEAD\n",
    ".github/w.yml": "content of .github/w.yml\n",
    "sub/a.bin": "content of sub/a.bin\n",
    "sub-dir/q": "content of sub-dir/q\n",
    "sub/deep/z.txt": "content of sub/deep/z.txt\n",
}
NAMES_IN_ORDER = [
    ".cache",
    "README.md",
    "Z.txt",
    "a b.txt",
    "config.json",
    "empty",
    "sub/a.bin",
    "sub/deep/z.txt",
    "sub-dir/q",
    "sub.txt",
    "é.txt",
]
ROOT = "e410f256cf2c460598ce14bd68cd70f335736e2c967d2bd7c74076550f586bff"
DIGESTS = {
    ".cache": "0ba7ae4531aad7edec8885351522903950e45117bc67737e098a86f87098788f",
    "README.md": "77c4b939a73ea6b9bab6a5fea384d4a7d2cbf5c62c8f696245752d49f66c6f12",
    "Z.txt": "ba053f6d19e7f27e11eb5501f225b77a077aff1efd1dc27e4c3e554fa1f106ca",
    "a b.txt": "9260cd427a75ba4501576997f00dd7c4c74067836d5a7fdbeaf1437809661890",
    "config.json": "272d327d0bc5df74850db500cc43a42d0f66fb514aa761dcfcf552cfa0001bee",
    "empty": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sub/a.bin": "15da38c9299e18c0d71f8b94f4750df1962655e20c7654add0e8389526523f64",
    "sub/deep/z.txt": "28785a388f4f6013646e4dc85c36cccedafbef9c6f209e4d3b42be2b03b28ab6",
    "sub-dir/q": "3efaad67d6f73fa3de86bfa4f6c312a2f977de43a6cc33aef2ec6d3a35bbf57d",
    "sub.txt": "b9a0c2d34c251aab80ebb6f8ad7b8d12e6f4500028a719d56644923eadd65778",
    "é.txt": "9f41d6a5ad883fca831cb53c3ccb17623cf2e0f86fc8f3533cf49ebcd70d50c9",
}


def statement():
    """Return the signed payload."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "repo", "digest": {"sha256": ROOT}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore"],
                "allow_symlinks": False,
            },
            "resources": [{"digest": DIGESTS[name], "name": name, "algorithm": "sha256"} for name in NAMES_IN_ORDER],
        },
    }


def folder(path):
    """Lay out the folder that was signed."""
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    (path / "emptydir").mkdir()
    return path
