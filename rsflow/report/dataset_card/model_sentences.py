"""How sentences of models and of annotators were compared with the labels, for the dataset card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def model_sentences(count: Mapping[str, float]) -> Iterable[str]:
    """How the sentences that models wrote were compared with the labels; nothing where no model wrote."""
    claimed, free = (int(count.get(name, 0)) for name in ("claimed_sentences", "free_sentences"))
    if claimed:
        replaced, dropped = (int(count.get(name, 0)) for name in ("claimed_replaced", "claimed_dropped"))
        yield (
            f"Models wrote {claimed:,} sentences with claims, each compared with the labels by number; {replaced:,} were "
            f"replaced by a rule's sentence and {dropped:,} dropped."
        )
    if free:
        unread = int(count.get("unread_sentences", 0))
        yield (
            f"Models wrote {free:,} sentences without claims. In {unread:,} of them ({unread / free:.1%}) no rule could "
            "compare anything with the labels: they are unread, which is not right."
        )


def imported_sentences(counts: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """By source: how the sentences of its captions and answers were compared with its other labels."""
    for source, count in counts.items():
        total, unread, wrong = (int(count.get(f"imported_{name}", 0)) for name in ("sentences", "unread", "contradicted"))
        if total:
            yield (
                f"Captions and answers of `{source}` have {total:,} different sentences. "
                f"In {unread:,} of them ({unread / total:.1%}) "
                "nothing could be compared with the labels: they are unread, which is not right. "
                f"{wrong:,} statements contradict the labels of their tile; they are kept, as nobody knows which of "
                "the two is right."
            )
