"""The progress arithmetic in Python, by the table that the player page is tested with too."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.kollus.lms import Record

EXAMPLES = json.loads((Path(__file__).parent / "lms_examples.json").read_text())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"].split(":")[0])
def test_record_counts_as_kollus_does(example: dict[str, Any]) -> None:
    record = Record(example["duration"], example["block_count"])
    for name, *arguments in example["steps"]:
        getattr(record, name)(*arguments)
    assert record.content_info() == example["content_info"]
    blocks = record.block_info()
    assert blocks["blocks"].items() >= example["blocks"].items()
    assert len(blocks["blocks"]) == 3 * example["block_count"]
    assert blocks["sessions"] == example["sessions"]
