"""Short flow files for tests, and what is found in them."""

from pamosnik.flows.compile import compile_flow
from pamosnik.flows.load import Loaded, load
from pamosnik.flows.problems import Problem, Severity
from pamosnik.model.flow import Flow


def read(text: str) -> Loaded:
    return load([("shop.yaml", text)])


def found(text: str) -> list[tuple[int, int, str]]:
    """(line, column, code) of each problem of one file."""
    return [place(problem) for problem in read(text).problems]


def place(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.code


def compiled(text: str) -> Flow:
    """The first flow of a file without errors and warnings."""
    loaded = read(text)
    assert [problem for problem in loaded.problems if problem.severity is not Severity.NOTE] == []
    flow = loaded.flows[0]
    return compile_flow(flow.id, flow.body, timezone="Europe/Warsaw")
