"""Labellers: what can be said of a tile without an annotation.

One idea: a literal table. Those listed here need no weights and run anywhere; model families will be further rows. To add one,
write a file with a frozen dataclass that satisfies `contract.Labeller` and name it below.
"""

from __future__ import annotations

import difflib
from typing import Any

from rsflow.errors import ConfigError
from rsflow.labellers.cfar import Cfar
from rsflow.labellers.contract import Labeller
from rsflow.labellers.hotspot import Hotspot
from rsflow.labellers.scene import Scene
from rsflow.labellers.spectral import Spectral
from rsflow.strict import check

LABELLERS: dict[str, type[Labeller]] = {
    Spectral.name: Spectral,
    Cfar.name: Cfar,
    Hotspot.name: Hotspot,
    Scene.name: Scene,
}

__all__ = ["LABELLERS", "Labeller", "from_settings"]


def from_settings(settings: dict[str, Any]) -> Labeller:
    """The labeller that a configuration asks for: `name` and that labeller's own keys.

    Raises ConfigError that lists the known names, or the known keys, where one is unknown.
    """
    own = dict(settings)
    name = own.pop("name", None)
    if name not in LABELLERS:
        close = difflib.get_close_matches(str(name), LABELLERS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"labellers: name is {name!r}: {hint}known labellers: {', '.join(LABELLERS)}")
    return check(LABELLERS[name], own, f"labeller {name}")
