"""Results as JUnit XML, which pipelines show: a suite for each file, a case for each test."""

import io
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from pamosnik import terminal
from pamosnik.rehearsal.testing import show
from pamosnik.rehearsal.testing.result import Result

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may hold. https://www.w3.org/TR/xml/#charsets"""
_COLUMNS = 100


def document(results: Sequence[Result], texts: Mapping[str, str], zone: ZoneInfo) -> bytes:
    """`texts`: file → what stands in it."""
    root = ElementTree.Element("testsuites", {"name": "pamosnik flows test", **_counts(results)})
    for file, found in groupby(results, key=lambda one: one.test.place.file):
        of_file = list(found)
        suite = ElementTree.SubElement(root, "testsuite", {"name": _text(file), **_counts(of_file)})
        for one in of_file:
            _case(suite, one, texts, zone)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    failed = sum(not one.passed for one in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0", "skipped": "0"}


def _case(suite: ElementTree.Element, one: Result, texts: Mapping[str, str], zone: ZoneInfo) -> None:
    test = one.test
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "classname": _text(test.flow or test.place.file),
            "name": _text(test.name),
            "file": _text(test.place.file),
            "line": str(test.place.line),
        },
    )
    if one.passed:
        return
    first = one.failures[0]
    failure = ElementTree.SubElement(
        case, "failure", {"type": _text(first.what), "message": _text(f"{first.place}: {first.sentence}")}
    )
    written = io.StringIO()
    console = terminal.console(file=written, width=_COLUMNS, colours=False)
    show.failed(console, one, texts, zone)
    failure.text = _text("\n".join(line.rstrip() for line in written.getvalue().split("\n")))


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", terminal.clean(text))
