"""Short flow files for tests, and what is found in them."""

from pamosnik.flows.compile import compile_flow
from pamosnik.flows.load import Loaded, load
from pamosnik.flows.problems import Problem
from pamosnik.model.flow import Flow


def read(text: str) -> Loaded:
    return load([("shop.yaml", text)])


def found(text: str) -> list[tuple[int, int, str]]:
    """(line, column, code) of each problem of one file."""
    return [place(problem) for problem in read(text).problems]


def place(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.code


def compiled(text: str) -> Flow:
    """The first flow of a file that has no problem."""
    loaded = read(text)
    assert loaded.problems == ()
    flow = loaded.flows[0]
    return compile_flow(flow.id, flow.body, timezone="Europe/Warsaw")
