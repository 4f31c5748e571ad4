"""What is said of a whole picture is a reject where its tiles cannot carry it."""

from __future__ import annotations

from rsflow.annotations.annotated_set import AnnotatedPicture
from rsflow.annotations.joining.whole_picture_labels import reject_split_labels
from rsflow.records import Label, Provenance, Shape
from rsflow.spatial.geometry import Window

FROM = Provenance("annotation", "test")
SHAPE = Shape((1.0, 1.0, 5.0, 5.0))
PICTURE = AnnotatedPicture(
    "a",
    "a.jpg",
    20,
    30,
    (
        Label("box", "ship", FROM, SHAPE),
        Label("caption", "", FROM, text="A flooded road."),
        Label("question", "yes", FROM, text="Is it wet?"),
        Label("phrase", "ship", FROM, SHAPE, "the largest ship"),
        Label("category", "harbour", FROM),
        Label("cover", "water", FROM, value=0.4),
    ),
)


def test_each_label_of_a_picture_that_is_cut_is_a_reject_of_its_own() -> None:
    lost = reject_split_labels(PICTURE, [Window(0, 0, 20, 20), Window(0, 10, 20, 20)])
    assert [reject.reason for reject in lost] == ["picture_is_cut"] * 5
    assert len({reject.subject for reject in lost}) == 5
    assert {reject.file for reject in lost} == {"a.jpg"}
    assert "A flooded road." in lost[0].detail


def test_nothing_is_lost_of_a_picture_that_a_tile_shows_whole() -> None:
    assert reject_split_labels(PICTURE, [Window(0, 0, 20, 30)]) == ()
    assert reject_split_labels(PICTURE, [Window(0, 0, 64, 64)]) == ()
