"""Instagram's numbers as this sandbox enforces them: the state of October 2026, v26.0.

The addresses say where Meta states a number; the values were taken from our reference of its platform.
They are written down a second time on purpose: the product's own table and this one must be able to differ,
or a wrong number would pass every test.
"""

from datetime import timedelta
from typing import Final

# https://developers.facebook.com/docs/graph-api/changelog/versions/
OLDEST_VERSION: Final = 21
NEWEST_VERSION: Final = 26

# https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
CODE_LIFE: Final = timedelta(hours=1)
SHORT_TOKEN_LIFE: Final = timedelta(hours=1)
LONG_TOKEN_LIFE: Final = timedelta(days=60)
REFRESH_MIN_AGE: Final = timedelta(hours=24)

# https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/
WEBHOOK_OBJECT: Final = "instagram"

SCOPE_BASIC: Final = "instagram_business_basic"
SCOPE_MESSAGES: Final = "instagram_business_manage_messages"
SCOPE_COMMENTS: Final = "instagram_business_manage_comments"
SCOPES: Final = (
    SCOPE_BASIC,
    SCOPE_MESSAGES,
    SCOPE_COMMENTS,
    "instagram_business_content_publish",
    "instagram_business_manage_insights",
)

# https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
STANDARD_WINDOW: Final = timedelta(hours=24)
TEXT_BYTES: Final = 1000
# of a person's message; assumed, no document says it
COMPOSER_CHARACTERS: Final = 1000
IMAGES_PER_MESSAGE: Final = 10
IMAGE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".gif")
AUDIO_SUFFIXES: Final = (".aac", ".m4a", ".wav", ".mp4")
VIDEO_SUFFIXES: Final = (".mp4", ".ogg", ".avi", ".mov", ".webm")
FILE_SUFFIXES: Final = (".pdf",)

IMAGE_BYTES: Final = 8 * 1024 * 1024
FILE_BYTES: Final = 25 * 1024 * 1024
FETCH_TIMEOUT_S: Final = 75.0
IMAGE_TYPES: Final = ("image/png", "image/jpeg", "image/gif")

# https://developers.facebook.com/docs/messenger-platform/reference/attachment-upload-api
ATTACHMENT_LIFE: Final = timedelta(days=90)

# …/messaging-api/sender-actions ; how long the dots stay is Messenger's figure
TYPING_SHOWN: Final = timedelta(seconds=20)

# https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy/
HUMAN_AGENT_WINDOW: Final = timedelta(days=7)

# …/messaging-api/quick-replies ; the payload length is Messenger's figure
QUICK_REPLIES: Final = 13
QUICK_REPLY_TITLE: Final = 20
PAYLOAD_CHARACTERS: Final = 1000

# …/messaging-api/generic-template and …/button-template ; the button title is Messenger's figure
ELEMENTS: Final = 10
ELEMENT_TEXT: Final = 80
BUTTON_TEMPLATE_TEXT: Final = 640
BUTTONS: Final = 3
BUTTON_TITLE: Final = 20

# https://developers.facebook.com/docs/instagram-platform/private-replies
PRIVATE_REPLY_AGE: Final = timedelta(days=7)

# …/messaging-api/ice-breakers
ICE_BREAKERS: Final = 4

# https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/ig-me-links
# states neither; both are cautious assumptions
REF_CHARACTERS: Final = 250
REF_ALPHABET: Final = r"[A-Za-z0-9_=-]+"

# https://developers.facebook.com/docs/instagram-platform/overview (Send API, private replies, conversations,
# 4800 × impressions) and https://developers.facebook.com/docs/graph-api/overview/rate-limiting (200 × users)
TEXT_PER_SECOND: Final = 100
MEDIA_PER_SECOND: Final = 10
PRIVATE_REPLIES_PER_HOUR: Final = 750
LIVE_PRIVATE_REPLIES_PER_SECOND: Final = 100
CONVERSATIONS_PER_SECOND: Final = 2
CALLS_PER_IMPRESSION: Final = 4800
APP_CALLS_PER_USER: Final = 200
# what the usage headers of an armed rate fault say; no number of Meta's
THROTTLED_FOR: Final = timedelta(minutes=5)

# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments
COMMENTS_PER_PAGE: Final = 50
# Instagram's own composer; the API reference gives no number.
COMMENT_CHARACTERS: Final = 2200
# What the retired API demanded; whether any of it holds today is not known.
RETIRED_COMMENT_CHARACTERS: Final = 300
RETIRED_HASHTAGS: Final = 4
RETIRED_URLS: Final = 1
# Graph's usual default and ceiling of a page
PAGE_SIZE: Final = 25
PAGE_MAX: Final = 100

# https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/conversations-api
READABLE_MESSAGES: Final = 20
REQUEST_SILENCE: Final = timedelta(days=30)

# https://developers.facebook.com/docs/messenger-platform/webhooks (5 s, 1 h) and
# https://developers.facebook.com/docs/instagram-platform/webhooks (36 h, 1000 updates)
DELIVERY_TIMEOUT_S: Final = 5.0
DELIVERY_GIVES_UP: Final = timedelta(hours=36)
DELIVERY_ALERT: Final = timedelta(minutes=15)
DELIVERY_DROPS_SUBSCRIPTION: Final = timedelta(hours=1)
# Meta names no time for privacy callbacks; the same patience is assumed
CALLBACK_TIMEOUT_S: Final = 5.0
BATCH_MAX: Final = 1000
# "at once, then with growing gaps"; the gaps themselves are ours, the last one repeats
RETRY_GAPS_S: Final = (0.0, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)

# https://developers.facebook.com/docs/instagram-platform/webhooks: field and the permission it needs
FIELD_SCOPES: Final = {
    "messages": SCOPE_MESSAGES,
    "message_edit": SCOPE_MESSAGES,
    "message_reactions": SCOPE_MESSAGES,
    "messaging_postbacks": SCOPE_MESSAGES,
    "messaging_referral": SCOPE_MESSAGES,
    "messaging_seen": SCOPE_MESSAGES,
    "messaging_optins": SCOPE_MESSAGES,
    "messaging_handover": SCOPE_MESSAGES,
    "standby": SCOPE_MESSAGES,
    "message_echoes": SCOPE_COMMENTS,
    "comments": SCOPE_COMMENTS,
    "live_comments": SCOPE_COMMENTS,
}
