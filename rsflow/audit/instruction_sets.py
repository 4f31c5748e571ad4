"""The audit of an instruction set: JSON or Parquet of conversations, box by box, text by text, picture by picture.

One pass over the records in batches; each batch's new pictures are inspected together, then its boxes are judged by
the coordinate contract of the set's form on the true size of their picture (else on the size that the record states).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rsflow.audit.labels.category_spellings import CategorySpellings
from rsflow.audit.labels.object_labels import ObjectLabels
from rsflow.audit.pictures import THREADS, Pictures
from rsflow.audit.records.category_counts import CategoryCounts
from rsflow.audit.records.duplicate_texts import DuplicateTexts, describe_pair, iter_example_records
from rsflow.audit.records.near_duplicate_records import NearDuplicates
from rsflow.audit.records.positions import find_wrong_positions
from rsflow.audit.records.set_rules import SetRules
from rsflow.audit.records.text_rules import count_picture_tokens, find_faults, iter_named_categories
from rsflow.audit.report import Report
from rsflow.errors import DataError
from rsflow.imports.box_formats import BOX_FORMATS, Size, detect_format, find_boxes
from rsflow.imports.conversation import Conversation, parse_conversation
from rsflow.imports.json_records import read_records
from rsflow.imports.parquet_records import EMBEDDED
from rsflow.imports.picture_finder import PictureFinder

BATCH = 2048
BATCH_BYTES = 1 << 26  # of pictures in the file, beyond which a batch ends
SAMPLE_RECORDS = 2000  # records from which the format is detected
MAX_TRIED_PICTURES = 50  # pictures that are tried in the file's folder, where no folder is given


def audit_instructions(
    file: str, form: str | None, folder: str | None, on_record: Callable[[int], None], allow_outside: bool = False
) -> Report:
    """Audit one JSON file. `form`: a key of BOX_FORMATS, or None to detect it from the texts. `on_record` gets counts."""
    known = form or detect_format(_texts(file))
    report = Report(file, known if form else f"{known}, told from its texts")
    pictures_folder = folder or find_picture_folder(file)
    if pictures_folder is None and not any(one.embedded for one in islice(_conversations(file), MAX_TRIED_PICTURES)):
        report.notes.append("pictures were not checked, for none was found beside the file: give --pictures DIR")
    pictures = Pictures(report, PictureFinder(pictures_folder, allow_outside) if pictures_folder else None)
    audit = _InstructionAudit(known, report, pictures, DuplicateTexts(known), CategoryCounts(known), ObjectLabels(known))
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in _batches(file):
            audit.take(batch, pool)
            on_record(len(batch))
    _report_texts(file, audit.texts, report)
    audit.near.report_to(report)
    audit.labels.report_to(report)
    audit.spellings.report_to(report)
    audit.set_rules.report_to(report)
    return report


def _batches(file: str) -> Iterator[list[tuple[int, Any]]]:
    """The numbered records in lists of at most BATCH, and of few more bytes of pictures than BATCH_BYTES."""
    batch, held = [], 0
    for number, record in enumerate(read_records(file, keep_broken=True)):
        batch.append((number, record))
        held += sum(map(len, record.get(EMBEDDED, {}).values())) if isinstance(record, dict) else 0
        if len(batch) == BATCH or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


@dataclass
class _InstructionAudit:
    form: str
    report: Report
    pictures: Pictures
    texts: DuplicateTexts
    amounts: CategoryCounts
    labels: ObjectLabels
    near: NearDuplicates = field(default_factory=NearDuplicates)
    spellings: CategorySpellings = field(default_factory=CategorySpellings)
    set_rules: SetRules = field(default_factory=SetRules)
    ids: dict[int, int] = field(default_factory=dict)

    def take(self, batch: list[tuple[int, object]], pool: ThreadPoolExecutor) -> None:
        self.report.count_inspected("records", len(batch))
        found = []
        for number, record in batch:
            try:
                conversation = parse_conversation(record)
                found.append((number, conversation))
                self._wording(number, record, conversation)
            except DataError as error:
                self.report.add(error.reason, f"record {number}", error.detail)
        embedded = {name: data for _, conversation in found for name, data in conversation.embedded.items()}
        self.pictures.inspect(((f"record {n}", name) for n, c in found for name in c.pictures), pool, embedded)
        for number, conversation in found:
            self.texts.add(number, conversation)
            self.near.add(number, conversation)
            self.labels.add(number, conversation)
            for first, detail in self.amounts.add(number, conversation):
                self.report.add("amounts_differ", f"records {first} and {number}", detail)
            for name in iter_named_categories(conversation):
                self.spellings.add(name, f"record {number}")
            self.report.count_inspected("exchanges", len(conversation.exchanges))
            self._boxes(number, conversation, self._size(number, conversation))

    def _wording(self, number: int, record: Any, conversation: Conversation) -> None:
        for fault, detail in find_faults(conversation, self.form):
            self.report.add(fault, f"record {number}", detail)
        self.set_rules.add(number, conversation, count_picture_tokens(conversation))
        name = record.get("id")
        if isinstance(name, str | int):
            first = self.ids.setdefault(hash(str(name)), number)
            if first != number:
                self.report.add("repeated_id", f"records {first} and {number}", f"both have the id {name!r}")

    def _size(self, number: int, conversation: Conversation) -> Size | None:
        """The size that boxes are checked against: the picture's own where it is known. A stated size that differs is
        reported.
        """
        true = self.pictures.size(conversation.pictures[0]) if len(conversation.pictures) == 1 else None
        stated = conversation.stated_size
        if true and stated and true != stated:
            detail = f"is {true[1]} x {true[0]} pixels (width x height), stated are {stated[1]} x {stated[0]}"
            self.report.add("wrong_size", f"record {number}", f"{conversation.pictures[0]} {detail}")
        # Boxes in pixels are of the picture that the record describes; a size that is wrong is a fault of its own.
        return stated or true if BOX_FORMATS[self.form].max_value is None else true

    def _boxes(self, number: int, conversation: Conversation, size: Size | None) -> None:
        contract = BOX_FORMATS[self.form]
        for exchange in conversation.exchanges:
            for detail in find_wrong_positions(exchange, self.form, size):
                self.report.add("position_differs", f"record {number}", detail)
            for text in (exchange.question, exchange.answer):
                for box in find_boxes(text, self.form):
                    self.report.count_inspected("boxes")
                    if fault := contract.find_fault(box, size):
                        self.report.add(fault[0], f"record {number}", f"{box.text[:80]}: {fault[1]}")


def find_picture_folder(file: str) -> str | None:
    """The folder of the file, where one of its first pictures is below it; else None."""
    folder = posixpath.dirname(file) or "."
    names = (name for conversation in _conversations(file) for name in conversation.pictures)
    find = PictureFinder(folder)
    return folder if any(_exists(find, name) for name in islice(names, MAX_TRIED_PICTURES)) else None


def _exists(find: PictureFinder, name: str) -> bool:
    try:
        return find(name) is not None
    except DataError:
        return False  # reported when the picture is inspected


def _conversations(file: str) -> Iterator[Conversation]:
    for record in read_records(file, keep_broken=True):
        try:
            yield parse_conversation(record)
        except DataError:
            continue  # it is counted when the file is audited


def _texts(file: str) -> Iterator[str]:
    for conversation in islice(_conversations(file), SAMPLE_RECORDS):
        for exchange in conversation.exchanges:
            yield from (exchange.question, exchange.answer)


def _report_texts(file: str, texts: DuplicateTexts, report: Report) -> None:
    """Report repeated and contradictory texts; the records of their examples are read again for their words."""
    repeated, contradictory = texts.repeated(), texts.contradictory()
    numbers = set(iter_example_records([*repeated[1], *contradictory[1]]))
    words = _again(file, numbers) if numbers else {}
    for fault, (count, pairs), same in (
        ("repeated_text", repeated, True),
        ("contradictory_answers", contradictory, False),
    ):
        for first, later in pairs:
            shown = describe_pair(words[first], words[later], same, texts.form)
            report.add(fault, f"record {later}" if first == later else f"records {first} and {later}", shown)
        if count:
            report.counts[fault] = count


def _again(file: str, numbers: set[int]) -> dict[int, Conversation]:
    last = max(numbers)
    return {
        n: parse_conversation(r) for n, r in enumerate(islice(read_records(file, keep_broken=True), last + 1)) if n in numbers
    }
