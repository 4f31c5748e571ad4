"""Laws that a reader, annotation format, labeller or dialect must keep, for packages that bring their own.

One idea: each function takes what the package provides and a little data of its kind, runs the laws that rsflow relies on, and
raises AssertionError with a sentence that says which law broke and with what values. It needs no test framework:

    from rsflow.testing import check_reader

    def test_the_reader():
        check_reader(open_npy, {"": "tests/scene.npy"}, sensor="optical")
"""

from rsflow.testing.annotations import check_annotations
from rsflow.testing.dialects import check_dialect
from rsflow.testing.labellers import check_labeller
from rsflow.testing.readers import check_reader

__all__ = ["check_annotations", "check_dialect", "check_labeller", "check_reader"]
