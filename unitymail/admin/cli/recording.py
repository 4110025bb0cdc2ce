"""From the file of `--spoken-name` to the octets that are kept."""

from __future__ import annotations

from typing import Any

from unitymail.admin.cli.office import Office
from unitymail.admin.operations.spoken_names import spoken_name


def recorded(office: Office, given: dict[str, Any]) -> dict[str, Any]:
    """The options, with the recording converted: None when it was not typed, b"" when it is to go."""
    file = given.get("spoken_name")
    if file is None:
        return given
    audio = b"" if file == "" else spoken_name(office.desk.codec, file, file.name)
    return {**given, "spoken_name": audio}
