"""Results in the shape of `--json`, and the plain text of a failure."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from pamosnik.flows.ways import Way
from pamosnik.rehearsal.testing.coverage import Coverage
from pamosnik.rehearsal.testing.result import Failure, Result
from pamosnik.rehearsal.testing.transcript import Kind, transcript

Shape = dict[str, object]


def as_json(results: Sequence[Result], covered: Coverage | None, zone: ZoneInfo) -> Shape:
    """`covered`: None where not all tests were played."""
    failed = sum(not result.passed for result in results)
    return {
        "passed": len(results) - failed,
        "failed": failed,
        "tests": [_result(result, zone) for result in results],
        "coverage": None if covered is None else _coverage(covered),
    }


def in_short(results: Sequence[Result]) -> Shape:
    """Without the conversations."""
    told = [_told(result) for result in results]
    failed = sum(not result.passed for result in results)
    return {"passed": len(results) - failed, "failed": failed, "tests": told}


def _result(result: Result, zone: ZoneInfo) -> Shape:
    told = _told(result)
    if result.passed:
        return told
    lines = transcript(result, zone)
    return told | {
        "transcript": [
            {
                "at": f"{line.at:%Y-%m-%dT%H:%M:%SZ}",
                "kind": line.kind.value,
                "who": line.who,
                "text": line.text,
            }
            for line in lines
            if line.kind is not Kind.TIME
        ]
    }


def _told(result: Result) -> Shape:
    test = result.test
    return {
        "name": test.name,
        "flow": test.flow,
        "file": test.place.file,
        "line": test.place.line or None,
        "passed": result.passed,
        "failures": [_failure(one) for one in result.failures],
    }


def _failure(one: Failure) -> Shape:
    return {
        "file": one.place.file,
        "line": one.place.line or None,
        "step_line": one.step.line or None,
        "what": one.what,
        "expected": one.expected,
        "got": one.got,
        "hint": one.hint,
    }


def _coverage(covered: Coverage) -> Shape:
    missed = [_way(way) for way in covered.missed]
    return {"branches": covered.of, "reached": len(covered.reached), "missed": missed}


def _way(way: Way) -> Shape:
    return {"flow": way.flow, "path": way.path, "what": way.what, "file": way.file, "line": way.line}
