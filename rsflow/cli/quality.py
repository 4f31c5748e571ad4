"""The commands that measure how right data is: evaluate-labels and audit."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from rsflow.cli.options import AllowOutside, Json, Root
from rsflow.errors import UsageError


def evaluate_labels(
    root: Root,
    labeller: Annotated[
        str | None, Option(metavar="N", help="only this one, by name or key (default: all that make boxes)")
    ] = None,
    iou: Annotated[float, Option(metavar="X", help="overlap from which a box is right")] = 0.5,
    json: Json = False,
    calibrate: Annotated[bool, Option("--calibrate", help="learn what scores mean, and write it to -o FILE")] = False,
    output: Annotated[
        str | None,
        Option("-o", "--output", metavar="FILE", help="the calibration to write; a labeller's `calibration` names it"),
    ] = None,
) -> int:
    """Report how right labellers are, by annotated scenes of a lake.

    Examples:
      rsflow evaluate-labels demo-out/scenes/lake
      rsflow evaluate-labels demo-out/scenes/lake --labeller cfar --iou 0.3 --json
    """
    from rsflow.files import storage
    from rsflow.inspection.evaluate_labels import evaluate, fit_calibrations
    from rsflow.report.label_quality import quality_json, quality_text

    if calibrate != bool(output):
        raise UsageError("--calibrate and -o FILE go together: what is learned is written there")
    found = evaluate(root, labeller, iou)
    if output:
        storage.write_bytes(output, fit_calibrations(found).to_json())
    print((quality_json if json else quality_text)(found.qualities, found.iou, found.notes))
    return 0


def audit(
    path: Annotated[
        str | None,
        Argument(metavar="PATH", help="an instruction set's JSON, or annotations (a file, folder or pattern)"),
    ] = None,
    report_file: Annotated[
        str | None, Argument(metavar="FILE", help="with --json: write the JSON here, and print the text")
    ] = None,
    leak: Annotated[
        tuple[str, str] | None,
        Option(
            metavar="TRAIN TEST",
            help="report instead what of TEST is also in TRAIN: folders of pictures, fingerprint files, lakes as ROOT@SPLIT",
        ),
    ] = None,
    format: Annotated[
        str | None, Option(metavar="F", help="its boxes' spelling, or its annotation format (default: detected)")
    ] = None,
    pictures: Annotated[str | None, Option(metavar="DIR", help="the folder of its pictures, to check them too")] = None,
    allow_outside: AllowOutside = False,
    json: Json = False,
) -> int:
    """Report what is wrong with a set of anybody's; exit 1 on any fault.

    Examples:
      rsflow audit train.json --pictures images/
      rsflow audit 'labels/*.txt' --format yolo --pictures images/
      rsflow audit train.json --json report.json
      rsflow audit --leak images/train images/test
    """
    from rsflow import audit as auditing
    from rsflow.engine.progress import progress
    from rsflow.files import storage
    from rsflow.inspection.json_reports import leakage_json, to_json_text
    from rsflow.phases.select.leakage import compare_sets

    if leak:
        leakage = compare_sets(*leak)
        print(to_json_text(leakage_json(leakage)) if json else leakage.text())
        return 1 if leakage.by_test else 0
    if path is None:
        raise UsageError("give the PATH of a set to audit, or --leak TRAIN TEST to compare two")
    if report_file and not json:
        raise UsageError(f"{report_file}: only one PATH is audited at a time; to write the report as JSON there, add --json")
    with progress("audit", "looked at", 0, quiet_seconds=2.0) as state:

        def count(number: int) -> None:
            state.total += number
            state.add(number)

        report = auditing.audit(path, format, pictures, count, allow_outside)
    if report_file:
        storage.write_bytes(report_file, report.to_json().encode())
    print(report.to_json().rstrip() if json and not report_file else report.text())
    return 1 if report.faults else 0
