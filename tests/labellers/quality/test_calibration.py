"""Calibrations: order is kept, planted curves are found, and what is written is read back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import ConfigError
from rsflow.labellers.quality.calibration import ALL, Calibration, CalibrationFile, Curve, Judged, fit, fit_curve
from rsflow.stage import fingerprint

judged = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def planted(count: int, seed: int = 5) -> list[Judged]:
    """Boxes of which the share score² is right."""
    random = np.random.default_rng(seed)
    scores = random.uniform(0, 1, count)
    return list(zip(scores.tolist(), (random.uniform(0, 1, count) < scores**2).tolist(), strict=True))


@given(judged, st.integers(0, 30))
@settings(deadline=None)
def test_order_is_kept_and_probabilities_are_probabilities(boxes: list[Judged], times: int) -> None:
    """Of few boxes (temperature) and of many (isotonic)."""
    curve = fit_curve(boxes * (1 + 100 * times), [0.5] * (len(boxes) * (1 + 100 * times)))
    found = curve.at(np.linspace(0, 1, 41)).tolist()
    assert found == sorted(found)
    assert 0 <= min(found) <= max(found) <= 1
    assert 0 <= curve.quality <= 1


@pytest.mark.parametrize(("count", "method", "error"), [(20_000, "isotonic", 0.08), (900, "temperature", 0.1)])
def test_a_planted_curve_is_found(count: int, method: str, error: float) -> None:
    boxes = planted(count)
    curve = fit_curve(boxes, [0.5] * count)
    assert curve.method == method
    scores = np.linspace(0.1, 0.98, 40)  # a logit cannot follow the square down to nothing
    assert np.abs(curve.at(scores) - scores**2).max() < error
    used = [right for score, right in boxes if curve.at(np.array(score)) >= 0.5]
    assert curve.quality == pytest.approx((sum(used) + 1) / (len(used) + 2), abs=1e-6)
    assert curve.quality == pytest.approx(0.75, abs=0.06)  # between the half where it begins and one


def test_scores_that_are_right_already_stay() -> None:
    random = np.random.default_rng(1)
    scores = random.uniform(0.02, 0.98, 999)
    curve = fit_curve(
        [(float(s), bool(r)) for s, r in zip(scores, random.uniform(0, 1, 999) < scores, strict=True)], [0.5] * 999
    )
    assert (curve.temperature, curve.shift) == pytest.approx((1, 0), abs=0.2)


def test_labels_that_are_never_right_come_down() -> None:
    curve = fit_curve([(0.9, False), (0.6, False)] * 50, [0.5] * 100)
    assert curve.at(np.array([0.95])) < 0.15
    assert curve.quality == pytest.approx(1 / 102, abs=1e-6)


def test_rare_categories_share_a_curve() -> None:
    boxes = {"ship": planted(60), "pier": [(0.9, False)] * 20}
    made = fit("d", boxes, {"ship": 0.5, "pier": 0.5}, 0.5)
    assert set(made.curves) == {"ship", ALL}
    assert made.score("pier", 0.9) == made.score("quay", 0.9) < made.score("ship", 0.9)
    assert made.quality("pier") == made.curves[ALL].quality
    assert made.curves[ALL].boxes == 80
    with pytest.raises(ValueError, match="no box"):
        fit("d", {}, {}, 0.5)


def test_a_file_holds_several_and_the_numbers_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    made = [fit(name, {"ship": planted(count)}, {"ship": 0.4}, 0.5) for name, count in (("a", 100), ("b", 1500))]
    (tmp_path / "c.json").write_bytes(CalibrationFile(tuple(made)).to_json())
    read = [Calibration.load(str(tmp_path / "c.json"), name) for name in ("a", "b")]
    assert read == made
    assert fingerprint(read) == fingerprint(made)
    changed = dataclasses.replace(read[0], curves={ALL: dataclasses.replace(read[0].curves[ALL], temperature=2.5)})
    assert fingerprint(changed) != fingerprint(read[0])


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ({"method": "isotonic", "points": []}, "points is empty"),
        ({"method": "isotonic", "points": [[0.1, 0.5], [0.2, 0.4]]}, "points must rise"),
        ({"method": "isotonic", "points": [[0.1, 0.5], [0.1, 0.6]]}, "points must rise"),
        ({"method": "isotonic", "points": [[0.1, 1.5]]}, "less than or equal to 1"),
        ({"method": "temperature", "temperature": 0.0}, "greater than 0"),
        ({"method": "isotopic"}, "'isotonic' or 'temperature'"),
        ({"method": "temperature", "temprature": 1.0}, "temprature: unknown key"),
    ],
)
def test_a_broken_file_is_told_with_what_would_be_right(tmp_path: Path, curve: dict[str, object], message: str) -> None:
    found = {"labeller": "d", "iou": 0.5, "curves": {"*": {"quality": 0.5, "boxes": 10, **curve}}}
    (tmp_path / "c.json").write_text(json.dumps({"calibrations": [found]}))
    with pytest.raises(ConfigError, match=message) as raised:
        Calibration.load(str(tmp_path / "c.json"), "d")
    assert "c.json" in str(raised.value)


def test_a_file_without_this_labeller_says_whose_it_is(tmp_path: Path) -> None:
    curve = Curve("temperature", 0.5, 10)
    (tmp_path / "c.json").write_bytes(CalibrationFile((Calibration("d", 0.5, {ALL: curve}),)).to_json())
    with pytest.raises(ConfigError, match="no calibration of 'e': it has d"):
        Calibration.load(str(tmp_path / "c.json"), "e")
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(ConfigError, match="no JSON"):
        Calibration.load(str(tmp_path / "c.json"), "d")
    (tmp_path / "c.json").write_text('{"calibrations": [{"labeller": "d", "iou": 0.5, "curves": {}}]}')
    with pytest.raises(ConfigError, match=r"curves has no '\*'"):
        Calibration.load(str(tmp_path / "c.json"), "d")
