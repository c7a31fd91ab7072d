"""Run the tests that a change can touch: `python -m tests.changed [--base COMMIT] [--only-list] [PYTEST ARGUMENTS]`.

The change is what differs between the working tree and the base: where this branch left `main`, or else the last
commit. CI runs everything.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.changed.choice import Choice, Tree, choose
from tests.changed.graph import Graph
from tests.changed.pages import routes
from tests.changed.reading import readings

MAINS = ("origin/main", "main", "origin/master", "master")


def git(root: Path, *arguments: str) -> list[str]:
    """The lines, or the parts that a zero byte ends. Raises SystemExit with what git says."""
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return [part for part in done.stdout.replace("\0", "\n").splitlines() if part]


def base_of(root: Path) -> str:
    """Where this branch left the main one; the last commit if there is none."""
    known = set(git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes"))
    for main in MAINS:
        if main in known:
            return git(root, "merge-base", "HEAD", main)[0]
    return "HEAD"


def changed_since(root: Path, base: str) -> set[str]:
    """The files that differ from the base, new ones and removed ones too; of a moved file, both paths."""
    differing = git(root, "diff", "--name-only", "--no-renames", "-z", base, "--")
    return {*differing, *git(root, "ls-files", "--others", "--exclude-standard", "-z")}


def tree_of(root: Path) -> Tree:
    """The working tree."""
    listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    present = [path for path in dict.fromkeys(listed) if (root / path).is_file()]
    modules = [path for path in present if path.endswith(".py") and "/migrations/" not in path]
    folder = "templates/"
    templates = {path.removeprefix(folder): (root / path).read_text() for path in present if path.startswith(folder)}
    return Tree(Graph(readings(root, modules)), templates, lambda: list(routes()))


def told(choice: Choice, changed: int, tests: int) -> list[str]:
    """What is run, and why."""
    lines = [f"{changed:,} changed files -> {len(choice.distances):,} test files of {tests:,}"]
    return lines + [f"  {len(found):>5,}  {reason}" for reason, found in choice.reasons.items() if found]


def main() -> int:
    """Choose, tell and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="", help="a commit; by default, where this branch left main")
    parser.add_argument("--only-list", action="store_true", help="print the test files, and run nothing")
    asked, further = parser.parse_known_args()
    root = Path(__file__).resolve().parents[2]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    base = asked.base or base_of(root)
    changed, tree = changed_since(root, base), tree_of(root)
    if not changed:
        print(f"Nothing differs from {base}. BASE=HEAD~1 compares with the commit before the last.", file=sys.stderr)
    choice = choose(changed, tree)
    paths = choice.ordered()
    print("\n".join(told(choice, len(changed), len(list(tree.tests())))), file=sys.stderr, flush=True)
    if asked.only_list:
        print("\n".join(paths))
    if asked.only_list or not paths:
        return 0
    command = [sys.executable, "-m", "pytest", "-m", "not nightly", "--hypothesis-profile=ci", *further, *paths]
    return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
