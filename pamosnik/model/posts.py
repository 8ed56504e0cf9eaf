"""Links to posts: the same post has several."""

import re

_SHORTCODE = re.compile(r"/(?:p|reel|reels|tv)/([\w-]+)")


def shortcode(link: str) -> str | None:
    """The part of a post's link that names the post; None when it is no link to a post."""
    found = _SHORTCODE.search(link)
    return None if found is None else found[1]
