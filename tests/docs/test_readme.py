"""What the README and the guides tell a reader to do is done here, in their order."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from rsflow.annotations import ANNOTATIONS
from rsflow.dialects import DIALECTS
from rsflow.exports import EXPORTS
from rsflow.readers import READERS
from rsflow.readers.products import PRODUCTS
from tests.docs.blocks import ROOT, Block, blocks, run
from tests.docs.conftest import put

PAGES = ("README.md", "docs/tutorial.md", "docs/howto.md")  # in the order in which they are read
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_in_the_readme_and_the_guides_runs(
    imagery: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(imagery, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    put(bucket, imagery / "imagery", "scenes")
    for block in (block for page in PAGES for block in blocks(page)):
        # The substitution: a bucket of the local server under a name that no other test uses.
        run(Block(block.language, block.text.replace("s3://my-bucket/", f"s3://{bucket}/"), block.place))
    told = capsys.readouterr().out
    assert "nothing new to label" in told
    for picture in ("sheet.png", "ships.png", "bucket.png"):
        assert (tmp_path / "here" / picture).stat().st_size > 10_000


def test_these_blocks_and_no_others_are_not_run() -> None:
    found = [block for page in PAGES for block in blocks(page) if block.language == "text"]
    assert [block.text.strip().splitlines()[-1][:40] for block in found] == [
        "  stream   rsflow.stream(...) in a torch",
        '.venv/bin/pip install ".[train]"    # an',
        "rsflow relocate imagery-lake /data/image",
        "ray job submit --working-dir . -- python",
    ]


def test_the_readme_is_read_in_minutes() -> None:
    assert len(README.splitlines()) < 200


def test_the_extra_that_is_named_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(re.findall(r'install "?\.\[(\w+)\]', README)) == {"train"} <= set(project["optional-dependencies"])


def test_the_job_is_submitted_as_its_test_does() -> None:
    """tests/pipelines/test_job.py submits the command that it names; the guide names the same."""
    job = (ROOT / "tests/pipelines/test_job.py").read_text()
    (command,) = re.findall(r'^COMMAND = "(.*)"$', job, re.MULTILINE)
    assert f"{command} CONFIG\n" in (ROOT / "docs/howto.md").read_text()
    assert f"{command} CONFIG" in (ROOT / "pipelines/build.py").read_text()


def test_every_row_of_a_table_is_documented() -> None:
    """One row in one document for every reader, format, export, dialect and product."""
    formats, exports, configuration = (
        (ROOT / f"docs/{name}.md").read_text() for name in ("formats", "exports", "configuration")
    )
    for text, tables in ((formats, (*ANNOTATIONS, *DIALECTS)), (exports, (*EXPORTS,))):
        listed = set(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE))
        assert [name for name in tables if name not in listed] == []
    assert [name for name in (*READERS, *PRODUCTS) if f"`{name}`" not in configuration] == []


def test_every_document_is_reached() -> None:
    """From the README, or from the contents of the site."""
    linked = set(re.findall(r"\]\(docs/(\w+\.md)\)", README)) | set(re.findall(r"(\w+\.md)", (ROOT / "mkdocs.yml").read_text()))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - linked == set()


def test_links_lead_somewhere() -> None:
    documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "cluster/README.md")]
    for document in [*documents, *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_map_names_every_folder_of_the_package() -> None:
    folders = {path.parent.name for path in (ROOT / "rsflow").glob("*/__init__.py")}
    assert folders == set(re.findall(r"`rsflow/(\w+)/`", README))
