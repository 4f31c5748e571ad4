"""The unit tests of what changed since main, within a minute: `make quick`.

One idea: a test belongs to a changed module if it lies in the module's mirrored folder under the module's name, or imports the
module. Tests that need a cluster or long are left out, and after `BUDGET_SECONDS` the run stops and says how much was left.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUDGET_SECONDS = 45.0
ALWAYS = ("tests/structure",)


def changed_files(base: str = "main") -> list[str]:
    """Files that differ from where this branch left `base`, committed or not, new ones too."""
    since = _git("merge-base", "HEAD", base) or ["HEAD"]
    return sorted({*_git("diff", "--name-only", since[0]), *_git("ls-files", "--others", "--exclude-standard")})


def choose_tests(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """The test files to run for these files, those that belong most closely first."""
    files = [file for file in changed if (root / file).exists()]
    own = [file for file in files if re.fullmatch(r"tests/(.*/)?test_\w+\.py", file)]
    modules = [
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files if file.startswith("rsflow/")
    ]
    tests = {path: path.read_text() for path in sorted((root / "tests").rglob("test_*.py"))}
    mirrored = [_place(path, root) for path in tests if any(_mirrors(path, module) for module in modules)]
    importing = [_place(path, root) for path, text in tests.items() if any(_imports(text, module) for module in modules)]
    documents = ["tests/docs/test_readme.py"] if any(file.endswith(".md") for file in files) else []
    return list(dict.fromkeys([*own, *mirrored, *documents, *ALWAYS, *importing]))


def _mirrors(path: Path, module: str) -> bool:
    *_, folder, name = module.split(".")
    return path.parent.name == folder and path.stem == f"test_{name}"


def _imports(text: str, module: str) -> bool:
    package, _, name = module.rpartition(".")
    whole = rf"^\s*(from|import) {re.escape(module)}\b"
    part = rf"^\s*from {re.escape(package)} import .*\b{name}\b"
    return re.search(f"{whole}|{part}", text, re.MULTILINE) is not None


def _place(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


class Budget:
    """Stops the session between two tests once the time is used up; what ran so far decides its result."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.ran = 0

    def pytest_runtest_logfinish(self) -> None:
        self.ran += 1

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        if time.monotonic() > self.end:
            item.session.shouldstop = "the minute is over"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.shouldstop and not session.testsfailed:
            session.exitstatus = pytest.ExitCode.OK
        print(f"\n{self.ran} of {session.testscollected} tests ran; `make test` runs all")


def main() -> int:
    chosen = choose_tests(changed_files())
    print(f"tests of what changed since main: {' '.join(chosen)}")
    return int(pytest.main([*chosen, "-m", "not slow and not ray", "-p", "no:cacheprovider"], plugins=[Budget(BUDGET_SECONDS)]))


if __name__ == "__main__":
    sys.exit(main())
