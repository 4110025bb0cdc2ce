"""Values behave as frozen dataclasses do, but for the guard at run time."""

from dataclasses import fields, replace

from unitymail.mail.value import value


@value
class Point:
    x: int
    y: int = 0


def test_compared_copied_and_counted():
    """Equal values are one in a set, a changed copy is another, and the first one stays as it was."""
    point = Point(1)
    assert {point, Point(1, 0)} == {Point(1)}
    assert replace(point, y=2) == Point(1, 2) and point == Point(1)
    assert [field.name for field in fields(Point)] == ["x", "y"] and not hasattr(point, "__dict__")
