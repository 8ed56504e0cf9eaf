"""How many calls of a kind fit into how much time; over it 613, 80002 or 4, with the usage headers.

Every call counts, a refused one too: going on while throttled makes it last longer. Time is the world's, so a
standing clock never frees a limit; `limits=false` switches them off.
"""

import json
import math
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pamosnik.sandbox import errors, rules
from pamosnik.sandbox.things import Account
from pamosnik.sandbox.world import World

_SECOND, _HOUR, _DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


class Quota(Enum):
    """What is counted together."""

    TEXT = "text"
    MEDIA = "media"
    PRIVATE_REPLY = "private_reply"
    LIVE_PRIVATE_REPLY = "live_private_reply"
    CONVERSATIONS = "conversations"
    # comments, media, the account's own profile
    REST = "rest"
    # calls with an app token
    APP = "app"


@dataclass(frozen=True, slots=True)
class _Limit:
    calls: int
    per: timedelta
    # the code of a call too many
    code: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Where an account stands after one call."""

    percent: int
    # None while calls get through
    regained_in: timedelta | None

    @property
    def minutes(self) -> int:
        """As the header counts them: whole, and at least one while throttled."""
        if self.regained_in is None:
            return 0
        return max(1, math.ceil(self.regained_in / timedelta(minutes=1)))


class Limits:
    """The calls of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: defaultdict[tuple[str, Quota], deque[datetime]] = defaultdict(deque)

    def count(self, account: Account | None, quota: Quota) -> Usage:
        """Counts one call, and tells the usage after it; `GraphError` with headers when it is one too many."""
        limit = self._limit(account, quota)
        key = ("" if account is None else account.ig_id, quota)
        usage = self._add(self._calls[key], limit)
        if usage.regained_in is not None and self._world.behaviour.limits:
            refusal = errors.too_many_calls(limit.code)
            refusal.extra_headers = usage_headers(account, quota, usage)
            raise refusal
        return usage

    def _add(self, calls: "deque[datetime]", limit: _Limit) -> Usage:
        now = self._world.clock.now()
        while calls and now - calls[0] >= limit.per:
            calls.popleft()
        calls.append(now)
        if len(calls) <= limit.calls:
            # The headers count percent of hours; what is counted by the second shows there only when it is refused.
            percent = 0 if limit.per <= _SECOND else min(100, 100 * len(calls) // limit.calls)
            return Usage(percent, None)
        # the next call fits when only limit - 1 of those counted are left in the window
        leaver = calls[-limit.calls] if limit.calls else calls[-1]
        return Usage(100, leaver + limit.per - now)

    def _limit(self, account: Account | None, quota: Quota) -> _Limit:
        ways = self._world.behaviour
        impressions = 0 if account is None else account.impressions
        match quota:
            case Quota.TEXT:
                return _Limit(ways.text_per_second, _SECOND, 613)
            case Quota.MEDIA:
                return _Limit(rules.MEDIA_PER_SECOND, _SECOND, 613)
            case Quota.PRIVATE_REPLY:
                return _Limit(rules.PRIVATE_REPLIES_PER_HOUR, _HOUR, 613)
            case Quota.LIVE_PRIVATE_REPLY:
                return _Limit(rules.LIVE_PRIVATE_REPLIES_PER_SECOND, _SECOND, 613)
            case Quota.CONVERSATIONS:
                return _Limit(rules.CONVERSATIONS_PER_SECOND, _SECOND, 613)
            case Quota.REST:
                return _Limit(rules.CALLS_PER_IMPRESSION * impressions, _DAY, int(ways.quota_code))
            case Quota.APP:
                return _Limit(rules.APP_CALLS_PER_USER * ways.daily_users, _HOUR, 4)


def usage_headers(account: Account | None, quota: Quota, usage: Usage) -> dict[str, str]:
    """The app's usage, and for an account its use case's; messaging and the rest are different types."""
    app = usage.percent if quota is Quota.APP else 0
    headers = {"x-app-usage": json.dumps({"call_volume": app, "cpu_time": 0}, separators=(",", ":"))}
    if account is None:
        return headers
    standing = {
        "type": "instagram" if quota is Quota.REST else "messenger",
        "call_count": usage.percent,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": usage.minutes,
    }
    told = json.dumps({account.ig_id: [standing]}, separators=(",", ":"))
    return headers | {"x-business-use-case-usage": told}
