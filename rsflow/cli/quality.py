"""The commands that measure how right something is: evaluate, evaluate-labels and audit."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from rsflow.cli.options import AllowOutside, Json, Root
from rsflow.errors import UsageError


def evaluate(
    model: Annotated[
        str,
        Argument(
            metavar="MODEL", help="a checkpoint's folder or hub id, an endpoint's address, or predictions (.jsonl: id, text)"
        ),
    ],
    root: Root,
    settings: Annotated[
        list[str] | None,
        Argument(metavar="key=value", help="of the engine: model=NAME key=null batch_rows=4 gpus=1", show_default=False),
    ] = None,
    split: Annotated[str, Option(metavar="NAME", help="the split to answer")] = "test",
    dialect: Annotated[str, Option(metavar="D", help="how the model spells boxes")] = "qwen",
    output: Annotated[str, Option("-o", "--output", metavar="DIR", help="for predictions, scores and a page")] = "evaluation",
    blind: Annotated[bool, Option("--blind", help="ask without the pictures: what can be answered without looking")] = False,
    history: Annotated[
        bool, Option("--history/--no-history", help="ask a conversation's last question after its earlier turns, or alone")
    ] = True,
    wordings: Annotated[
        int, Option(metavar="N", min=0, help="ask in N other wordings too: are short answers the same and still right")
    ] = 0,
    task: Annotated[
        list[str] | None, Option(metavar="T", help="only questions of this one; may be given several times")
    ] = None,
    limit: Annotated[int | None, Option(metavar="N", help="only the first N questions")] = None,
    max_tokens: Annotated[int, Option(metavar="N", help="of an answer")] = 512,
    meteor: Annotated[bool, Option("--meteor", help="METEOR of captions too; needs Java")] = False,
    by: Annotated[str, Option(metavar="G", help="what to print: all, sensor, source or kind")] = "all",
) -> int:
    """Score a model's answers on a split of the latest snapshot.

    Scores are per task, sensor, source and question kind. Answers are kept as they come: the same command goes on where it was
    stopped. DIR/scores.json has every score with its 95 % interval and what always giving the commonest answer would score;
    DIR/page.html shows the worst and best answers.

    Examples:
      rsflow evaluate ./checkpoint lake --split test -o scores
      rsflow evaluate http://localhost:8000/v1 lake model=qwen key=null --blind
      rsflow evaluate predictions.jsonl lake --by sensor
    """
    from rsflow.config.yaml_file import parse_overrides
    from rsflow.engine.progress import progress
    from rsflow.evaluation.published import published_text
    from rsflow.evaluation.report import to_text
    from rsflow.evaluation.run import EvaluationJob
    from rsflow.evaluation.run import evaluate as run

    engine = parse_overrides(settings or [])
    job = EvaluationJob(
        model, root, split, dialect, output, blind, limit, max_tokens, meteor, engine, history, wordings, tuple(task or ())
    )
    with progress("evaluate", "answers", 0, quiet_seconds=2.0) as state:

        def count() -> None:
            state.total += 1
            state.add(1)

        scores = run(job, count, lambda line: print(line, file=sys.stderr))
    print(to_text(scores, by))
    if published := published_text(scores):
        print(published)
    print(f"wrote {output}/scores.json, predictions.jsonl and page.html")
    return 0


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
    from rsflow.inspection.facts.json_reports import leakage_json, to_json_text
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
