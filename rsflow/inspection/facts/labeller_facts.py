"""What is known of the labellers that a configuration asks for, as the card and the report state it."""

from __future__ import annotations

from rsflow.config.settings import BuildConfig
from rsflow.labellers import from_settings
from rsflow.report.dataset_card.card import QualityFacts


def labeller_quality(built: BuildConfig) -> tuple[QualityFacts, ...]:
    """How right the labellers of the sources were where they were measured, by name."""
    used = {settings["name"]: from_settings(settings) for source in built.sources for settings in source.labellers}
    return tuple(
        QualityFacts(name, found.sensor, found.on, found.precision, found.recall)
        for name in sorted(used)
        for found in used[name].measured
    )
