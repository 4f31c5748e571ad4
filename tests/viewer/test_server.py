"""The server: what it answers to whom, the files it gives away, and lakes of every kind."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rsflow.cli import main
from rsflow.lake.tables import open_lake
from rsflow.lake.tile_files import read_pictures
from tests.viewer.conftest import Served, run_server


def test_the_page_and_its_files_are_served_with_a_strict_policy(served: Served) -> None:
    status, headers, body = served.get("/")
    assert status == 200
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    text = body.decode()
    assert "<script>" not in text
    assert "style=" not in text
    for asset in re.findall(r'(?:src|href)="(assets/[^"]+)"', text):
        assert served.get(f"/{asset}")[0] == 200, asset


def test_no_file_of_the_page_names_another_machine() -> None:
    assets = Path(__file__).parents[2] / "rsflow/viewer/assets"
    found = {address for path in assets.iterdir() for address in re.findall(r"https?://[^\s\"'`)]+", path.read_text())}
    assert found == {"http://www.w3.org/2000/svg"}
    assert not any("innerHTML" in path.read_text() or "insertAdjacentHTML" in path.read_text() for path in assets.iterdir())


def test_pictures_are_the_bytes_of_the_tile_files(served: Served, demo_lake: Path) -> None:
    lake = open_lake(str(demo_lake))
    rows = lake.read("tiles", ["tile_id", "key", "file", "row_group", "row", "picture_sha256"]).to_pylist()
    expected = read_pictures(lake.root, rows)
    for row in rows:
        status, headers, data = served.get(f"/api/picture/{row['key']}")
        assert status == 200
        assert headers["content-type"] == "image/jpeg"
        assert data == expected[row["tile_id"]]
        assert headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'


@pytest.mark.parametrize(
    "path",
    [
        *("/assets/../server.py", "/assets/..%2fserver.py", "/assets/%2e%2e/server.py", "/assets/%2fetc%2fpasswd", "/assets/"),
        *("/assets/__init__.py", "/api/picture/..%2f..%2fconfig.json", "/api/sample/nothing", "/api/picture/nothing"),
        *("/config.json", "/lake.json", "/tables/tiles", "//etc/passwd"),
    ],
)
def test_nothing_but_its_own_files_is_given_away(served: Served, path: str) -> None:
    status, _, body = served.get(path)
    assert status == 404
    assert b"root:" not in (body if isinstance(body, bytes) else b"")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "", "[::1"]
)
def test_other_names_for_this_machine_are_refused(served: Served, host: str) -> None:
    """DNS rebinding: a page of another site whose name was pointed here."""
    status, _, body = served.get("/api/lake", {"host": host.format(port=served.access.port)})
    assert status in {400, 403}
    assert status == 400 or "names of this machine" in body["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_without_review_nothing_can_be_changed(served: Served, method: str) -> None:
    own = {
        "origin": served.address,
        "x-rsflow-review": served.access.secret,
        "content-type": "application/json",
        "content-length": "0",
    }
    for path in ("/api/lake", "/api/decisions", "/"):
        assert served.get(path, own, method)[0] in {404, 405}


def test_a_token_is_required_and_becomes_a_cookie(demo_lake: Path) -> None:
    with run_server(str(demo_lake), token="a-secret-token") as found:
        assert found.get("/")[0] == 401
        assert found.get("/api/lake?token=wrong")[0] == 401
        assert found.get("/api/lake", {"cookie": "rsflow_view=wrong"})[0] == 401
        assert found.get("/api/lake", {"authorization": "Bearer a-secret-token"})[0] == 200
        status, headers, _ = found.get("/?token=a-secret-token")
        assert status == 200
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert found.get("/api/lake", {"cookie": cookie.partition(";")[0]})[0] == 200
        # Behind a name of one's own: the token is what counts.
        assert found.get("/api/lake", {"cookie": cookie.partition(";")[0], "host": "gpu.example"})[0] == 200


def test_wrong_questions_are_answered_in_words(served: Served) -> None:
    for path in ("/api/samples?order=x", "/api/samples?min_score=much", "/api/samples?limit=all", "/api/samples?after=x"):
        status, _, body = served.get(path)
        assert status == 400, path
        assert "expected" in body["error"]


def test_an_empty_lake_has_an_empty_page(empty_lake: Path) -> None:
    with run_server(str(empty_lake)) as found:
        assert found.get("/api/lake")[2]["counts"] == dict.fromkeys(
            ["samples", "selected", "labels", "instructions", "rejects"], 0
        )
        assert found.get("/api/samples?text=ship")[2] == {"samples": [], "next": None}
        assert found.get("/api/counts?text=ship")[2]["total"] == 0
        assert found.get("/api/map")[2]["extent"] is None
        assert found.get("/api/embedding")[2]["points"] == []
        assert found.get("/api/rejects")[2] == {"rejects": [], "next": None}


def test_a_lake_without_a_selection_shows_its_tiles(hostile_lake: Path) -> None:
    with run_server(str(hostile_lake)) as found:
        (card,) = found.get("/api/samples")[2]["samples"]
        assert card["reason"] == "not selected yet"
        assert found.get(f"/api/sample/{card['key']}")[2]["selection"] is None
        assert found.get("/api/map")[2]["unplaced"] == 1


def test_a_lake_that_moved_says_what_it_shows(demo_lake: Path, tmp_path: Path) -> None:
    """Its sources are not there, so what the configuration asks for cannot be known."""
    moved = tmp_path / "moved"
    shutil.copytree(demo_lake, moved)
    text = (moved / "config.json").read_text().replace(str(demo_lake.parent), str(tmp_path / "gone"))
    (moved / "config.json").write_text(text)
    with run_server(str(moved)) as found:
        about = found.get("/api/lake")[2]
        assert "cannot be determined" in about["note"]
        assert about["counts"]["samples"] == open_lake(str(demo_lake)).read("tiles", ["tile_id"]).num_rows


def test_a_page_shows_what_a_build_made_meanwhile(demo_lake: Path, tmp_path: Path) -> None:
    root = tmp_path / "lake"
    shutil.copytree(demo_lake, root)
    with run_server(str(root)) as found:
        before = found.get("/api/lake")[2]["counts"]
        config = f"{demo_lake.parent}/demo.yaml"
        assert main(["select", config, f"root={root}", "engine.kind=inline", "select.quotas={vqa: 1}"]) == 0
        after = found.get("/api/lake")[2]["counts"]
        assert after["samples"] == before["samples"]
        kept = open_lake(str(root)).read("selection", ["subject"], {"kind": "tile", "selected": True}).num_rows
        assert after["selected"] == kept


def test_a_lake_in_a_bucket(demo_lake: Path, bucket: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    for path in demo_lake.rglob("*"):
        if path.is_file():
            client.upload_file(str(path), bucket, f"lake/{path.relative_to(demo_lake)}")
    with run_server(f"s3://{bucket}/lake") as found:
        page = found.get("/api/samples?text=ship&limit=3")[2]
        assert len(page["samples"]) == 3
        key = page["samples"][0]["key"]
        assert found.get(f"/api/texts?key={key}")[2][key][0]["turns"]
        assert found.get(f"/api/picture/{key}")[0] == 200
        assert found.get(f"/api/sample/{key}")[2]["instructions"]


def test_the_command_serves_until_it_is_interrupted(demo_lake: Path) -> None:
    words = [sys.executable, "-m", "rsflow.cli", "view", str(demo_lake)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        address = re.search(r"http://127\.0\.0\.1:\d+/", lines[1])
        assert address, lines
        served = Served(address[0].rstrip("/"), None)  # type: ignore[arg-type]
        assert served.get("/api/lake")[2]["root"] == str(demo_lake)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in {0, 130}
        assert "Traceback" not in process.stderr.read()  # type: ignore[union-attr]
    finally:
        process.kill()
        process.communicate()


def test_wrong_use_is_one_line(demo_lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        for words, expected in (
            ([str(tmp_path / "nothing")], "there is no lake here"),
            ([str(demo_lake), "--port", str(port)], "it is in use"),
            ([str(demo_lake), "--host", "no.such.host.invalid"], "no such address"),
            ([str(demo_lake), "--background", "ftp://x/{z}/{x}/{y}"], "expected an http(s) address"),
            ([str(demo_lake), "--background", "https://x.example/tiles"], "expected an http(s) address"),
        ):
            assert main(["view", *words]) != 0
            message = capsys.readouterr().err
            assert expected in message
            assert len(message.strip().splitlines()) == 1


def test_without_its_packages_the_command_says_how_to_get_them(
    demo_lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rsflow.cli.viewing.find_spec", lambda name: None)
    assert main(["view", str(demo_lake)]) == 2
    assert "pip install 'rsflow[view]'" in capsys.readouterr().err
