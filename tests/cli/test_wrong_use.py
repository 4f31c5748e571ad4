"""Wrong use of the command and of a configuration: exit code 2, and words that name the key, the value and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.cli import main

# An override that breaks the archive's configuration, and what must be said of it.
FAULTS = [
    ("tile.size_px=3", ["tile: unknown key", "did you mean 'tiles'?", "known keys: root, sources"]),
    ("tiles.size=3", ["tiles.size: unknown key", "did you mean 'size_px'?"]),
    ("tiles.size_px=big", ['tiles.size_px: found "big"', "integer"]),
    ("tiles.size_px=yes", ["tiles.size_px: found true", "integer"]),
    ("tiles.size_px=0", ["tiles.size_px: found 0", "greater than or equal to 16"]),
    ("tiles.overlap_px=64", ["overlap_px is 64", "smaller than size_px (64)"]),
    ("tiles.overlap_px=-1", ["tiles.overlap_px: found -1"]),
    ("tiles=3", ["tiles: found 3"]),
    ("tiles.size_px.x=3", ["'tiles.size_px.x=3': 'x' has nothing below it"]),
    ("tiles.size_px=[1", ["'tiles.size_px=[1'", "not valid YAML"]),
    ("render.quality=101", ["render.quality: found 101", "less than or equal to 100"]),
    ("render={low_percent: 50, high_percent: 50}", ["low_percent is 50", "below high_percent (50.0)"]),
    ("max_reject_share=2", ["max_reject_share: found 2", "less than or equal to 1"]),
    ("max_reject_share=.nan", ["max_reject_share"]),
    ("tiles.cell_km=.inf", ["tiles.cell_km", "finite number"]),
    ("select.buffer_m=.inf", ["select.buffer_m", "finite number"]),
    ("sources.0.scenes.scale=.nan", ["scenes.scale", "finite number"]),
    ("seed=1.5", ["seed: found 1.5"]),
    ("root=", ["root: found null"]),
    ("root=5", ["root: found 5"]),
    ("shard.target_mb=0", ["shard.target_mb: found 0", "greater than 0"]),
    ("engine.kind=rai", ['engine.kind: found "rai"', "'ray' or 'inline'"]),
    ("engine.workers=0", ["engine.workers: found 0"]),
    ("select.quotas={nope: 3}", ["select.quotas", "'nope'", "detection"]),
    ("select.quotas={vqa/xray: 3}", ["select.quotas", "'vqa/xray'", "sar"]),
    ("select.quotas={vqa: -1}", ["select.quotas.vqa: found -1"]),
    ("select.splits={}", ["splits needs at least one split"]),
    ("select.splits={train: 0.8, test: 0.3}", ["splits are 1.1 together", "expected shares that sum to 1"]),
    ("select.splits={train: 80, test: 20}", ["splits are 100 together"]),
    ("select.splits={../x: 1}", ['select.splits.../x: found "../x"']),
    ("instructions.tasks=[vqq]", ["instructions.tasks", "'vqq'", "did you mean 'vqa'?"]),
    ("sources=[]", ["sources: found []"]),
    ("sources.7.name=x", ["'sources.7.name=x'", "position from 0 to 1"]),
    ("sources.0.name=sea", ["two sources are named 'sea'"]),
    ("sources.0.name=a/b", ['sources.0.name: found "a/b"']),
    ("sources.0.sensor=radar", ['sources.0.sensor: found "radar"', "'optical', 'sar' or 'infrared'"]),
    ("sources.0.reader=tiff", ["sources.0.reader", "'tiff'", "did you mean 'geotiff'?"]),
    ("sources.0.labellers=[{name: spectrel}]", ["sources.0.labellers.0", "'spectrel'", "did you mean 'spectral'?"]),
    ("sources.0.labellers=[{nam: scene}]", ["sources.0.labellers.0", "known labellers: spectral"]),
    ("sources.0.labellers=[scene]", ['sources.0.labellers.0: found "scene"']),
    ("sources.0.labellers=[{name: spectral, nope: 3}]", ["labellers.0", "nope: unknown key", "known keys: bands"]),
    ("sources.0.labellers=[{name: spectral, min_share: 7}]", ["labellers.0", "min_share: found 7"]),
    ("sources.0.labellers=[{name: cfar}]", ["labellers.0", "cfar is for sar, the source is optical"]),
    (
        "sources.0.scenes.bands={red: 1, green: 2, blue: 3}",
        ["sources.land", "labeller spectral", "no band is nir", "scenes.bands"],
    ),
    ("sources.0.scenes.bands={red: 0}", ["bands.red is 0", "band number from 1"]),
    ("sources.0.scenes.bands={red: B4}", ["bands.red is 'B4'", "without {band} in files"]),
    ("sources.0.scenes.rgb=[red, green, grey]", ["rgb names 'grey'", "blue, green, nir, red"]),
    ("sources.0.scenes.files=[]", ["files is empty"]),
    ("sources.0.scenes.files=/nope/*.tif", ["source land", "no file matches '/nope/*.tif'", "correct `scenes.files`"]),
    ("sources.0.scenes.files=/nope/x.tif", ["source land", "no file matches '/nope/x.tif'"]),
    ("sources.0.scenes.files=${RSFLOW_NOT_SET}/x", ["sources.0.scenes.files", "RSFLOW_NOT_SET is not set", "export"]),
    ("sources.0.scenes.acquired_at='('", ["acquired_at", "found '('"]),
    ("sources.1.annotations.format=cocoo", ["sources.1.annotations.format", "'cocoo'", "did you mean 'coco'?"]),
    ("sources.1.annotations.files=/nope.json", ["annotations.files", "'/nope.json' matches no file"]),
    ("sources.0.labellers=[{name: detector, model: nowhere}]", ["sources.0.labellers.0", "'nowhere'", "no such folder"]),
    ("sources.0.labellers=[{name: detector, model: a/b}]", ["sources.0.labellers.0", "revision is ''", "full commit"]),
    ("generation={engine: {name: opena, model: m}}", ["generation.engine", "'opena'", "did you mean 'openai'?"]),
    ("budget={tokens: 0}", ["budget.tokens: found 0", "greater than 0"]),
    ("foo", ["'foo' is not an override", "key.key=value"]),
    ("=3", ["'=3' is not an override"]),
]


@pytest.mark.parametrize(("override", "words"), FAULTS, ids=[override for override, _ in FAULTS])
def test_a_fault_of_the_configuration_is_told(
    archive: Path, capsys: pytest.CaptureFixture[str], override: str, words: list[str]
) -> None:
    assert main(["build", str(archive / "build.yaml"), override]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert [word for word in words if word not in err] == [], err
    assert not (archive / "lake/tables").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 1", ["holds a list", "expected keys such as root and sources"]),
        ("a: [", ["is not valid YAML"]),
        ("", ["holds a NoneType"]),
        ("root: x", ["sources: is missing"]),
    ],
)
def test_a_file_that_is_no_configuration_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: list[str]
) -> None:
    place = tmp_path / "c.yaml"
    place.write_text(text)
    assert main(["plan", str(place)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert [word for word in (str(place), *words) if word not in err] == [], err


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(tmp_path / "none.yaml")]) == 2
    assert f"{tmp_path}/none.yaml: cannot read it: there is no such file" in capsys.readouterr().err
    assert main(["build", str(tmp_path)]) == 2
    assert f"{tmp_path}: cannot read it: it is a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "Missing command (see `rsflow --help`)"),
        (["biuld"], "No such command 'biuld'. Did you mean 'build'? (see `rsflow --help`)"),
        (["build"], "Missing argument 'CONFIG' (see `rsflow build --help`)"),
        (["build", "c.yaml", "--retry"], "--retry-rejects) (see `rsflow build --help`)"),
        (["verify"], "Missing argument 'ROOT'"),
        (["verify", "x", "y"], "unexpected extra argument(s) (y)"),
        (["show", "x", "-n", "many"], "Invalid value for '-n'"),
        (
            ["import", "x", "--format", "llava", "-o", "y", "--sensor", "radar"],
            "'radar' is not one of 'optical', 'sar', 'infrared'",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_gives_one_line_and_2(capsys: pytest.CaptureFixture[str], argv: list[str], words: str) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rsflow: ")
    assert words in err
    assert err.count("\n") == 1


def test_a_sample_of_no_scene_is_refused(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(archive / "build.yaml"), "--sample", "0"]) == 2
    assert "--sample is 0: expected a number of scenes from 1" in capsys.readouterr().err


def test_overrides_may_stand_after_options(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(archive / "build.yaml"), "--retry-rejects", "tiles.size_px=0"]) == 2
    assert "tiles.size_px: found 0" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "verify", "show"])
def test_a_place_without_a_lake_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, str(tmp_path / "none")]) == 1
    err = capsys.readouterr().err
    assert str(tmp_path / "none") in err
    assert "rsflow build" in err
