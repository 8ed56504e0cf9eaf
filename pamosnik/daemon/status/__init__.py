"""The status page: what is going on, and why. A module for each group of pages, all made with the same parts."""

from starlette.routing import Route

from pamosnik.daemon.status.again import AgainPages
from pamosnik.daemon.status.events import EventsPage
from pamosnik.daemon.status.flows import FlowPages
from pamosnik.daemon.status.overview import OverviewPage
from pamosnik.daemon.status.parts import StatusParts
from pamosnik.daemon.status.people import PeoplePages
from pamosnik.daemon.status.person import PersonPages
from pamosnik.daemon.status.posts import PostsPage
from pamosnik.daemon.status.queue import QueuePages
from pamosnik.daemon.status.runs import RunPages


def routes(parts: StatusParts) -> list[Route]:
    """Of all its pages."""
    groups = (
        OverviewPage(parts),
        FlowPages(parts),
        EventsPage(parts),
        AgainPages(parts),
        PeoplePages(parts),
        PersonPages(parts),
        PostsPage(parts),
        QueuePages(parts),
        RunPages(parts),
    )
    return [route for group in groups for route in group.routes()]
