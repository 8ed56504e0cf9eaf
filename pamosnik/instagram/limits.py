"""Meta's numbers, each with its source. Read in October 2026; `graph` = Instagram Platform pages of
https://developers.facebook.com/docs/instagram-platform/ (API with Instagram Login).
"""

from collections.abc import Mapping
from datetime import date, timedelta

WINDOW = timedelta(hours=24)
"""Ordinary messages reach a person this long after their last message or tap.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api"""

PRIVATE_REPLY_WITHIN = timedelta(days=7)
"""A commenter may be sent one private message this long. https://developers.facebook.com/docs/instagram-platform/private-replies"""

LIVE_PRIVATE_REPLY_WITHIN = timedelta(hours=4)
"""Only during the broadcast, and nobody tells when it ends; no broadcast is longer than this.
https://developers.facebook.com/docs/instagram-platform/private-replies ; https://help.instagram.com/292478487812558"""

TEXT_BYTES = 1000
"""UTF-8 bytes, not characters. graph: messaging-api"""

BUTTON_TEXT_CHARS = 640
"""Of a message with buttons. graph: messaging-api/button-template"""

BUTTONS = 3
"""graph: messaging-api/button-template"""

CHIPS = 13
"""Quick replies. graph: messaging-api/quick-replies"""

LABEL_CHARS = 20
"""Titles of quick replies are cut here; of buttons it is Messenger's figure. graph: messaging-api/quick-replies"""

PAYLOAD_CHARS = 1000
"""Messenger's figure, enforced here for Instagram. graph: messaging-api/quick-replies"""

IMAGES = 10
"""In one message, since 2026-05-06. https://developers.facebook.com/documentation/instagram-platform/changelog/"""

CARDS = 10
"""graph: messaging-api/generic-template"""

CARD_CHARS = 80
"""Of a card's title, and of its subtitle. graph: messaging-api/generic-template"""

ICE_BREAKERS = 4
"""graph: messaging-api/ice-breakers"""

QUESTION_CHARS = 80
"""Of an ice breaker: Messenger's figure, none is named for Instagram (unconfirmed).
https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/ice-breakers"""

MENU_ITEMS = 5
"""A recommendation. graph: messaging-api/persistent-menu"""

REF_ALPHABET, REF_CHARS = r"[A-Za-z0-9_=-]+", 250
"""Of an ig.me link (unconfirmed; Messenger allows more).
https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/ig-me-links"""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif")
"""png and jpeg; GIFs work by address. graph: messaging-api"""

TYPING_SHOWN = timedelta(seconds=20)
"""Messenger's figure. graph: messaging-api/sender-actions"""

VIDEO_SUFFIXES = (".mp4", ".mov", ".webm", ".ogg", ".avi")
"""graph: messaging-api"""

AUDIO_SUFFIXES = (".m4a", ".aac", ".wav", ".mp4")
"""No mp3. graph: messaging-api"""

FILE_SUFFIXES = (".pdf",)
"""graph: messaging-api"""

PUBLIC_REPLY_CHARS = 2200
"""What Instagram's own composer allows; the API's documents name no figure any more (unconfirmed)."""

WEBHOOK_BODY_BYTES = 4 << 20
"""Ours: 1000 updates of ordinary size fit well. Meta names 1000 updates and no size.
https://developers.facebook.com/docs/instagram-platform/webhooks"""

PRIVATE_REPLIES_PER_HOUR = 750
"""For posts and reels, in any sliding hour. https://developers.facebook.com/docs/instagram-platform/overview"""

LIVE_PRIVATE_REPLIES_PER_SECOND = 100
"""https://developers.facebook.com/docs/instagram-platform/overview"""

TEXTS_PER_SECOND = 100
"""Texts, links, reactions, stickers, for each account. https://developers.facebook.com/docs/instagram-platform/overview"""

MEDIA_PER_SECOND = 10
"""Audio and video, for each account; pictures are counted here too, to be safe.
https://developers.facebook.com/docs/instagram-platform/overview"""

CONVERSATION_CALLS_PER_SECOND = 2
"""https://developers.facebook.com/docs/instagram-platform/overview"""

MEDIA_PAGE = 50
"""Ours: posts asked for at once; Graph gives up to 100."""

COMMENTS_PAGE = 50
"""The most comments of a post in one answer.
https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments"""

SCOPES = (
    "instagram_business_basic",
    "instagram_business_manage_messages",
    "instagram_business_manage_comments",
)
"""What Pamosnik needs.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login"""

SUBSCRIBED_FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_referral",
    "message_reactions",
    "messaging_seen",
    "comments",
    "live_comments",
)
"""Webhook fields. https://developers.facebook.com/docs/instagram-platform/webhooks"""

GRAPH_VERSIONS: Mapping[str, date | None] = {
    "v26.0": None,
    "v25.0": date(2028, 7, 29),
    "v24.0": date(2028, 2, 18),
    "v23.0": date(2027, 10, 8),
    "v22.0": date(2027, 5, 20),
    "v21.0": date(2027, 1, 21),
    "v20.0": date(2026, 9, 24),
}
"""Until when each can be used, the newest first; None: that is to be announced.
https://developers.facebook.com/docs/graph-api/changelog/versions/"""
