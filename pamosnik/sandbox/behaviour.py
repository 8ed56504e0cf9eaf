"""How this Instagram behaves where Meta's documentation leaves it open, and the numbers that can be set.

Each unconfirmed rule is a switch whose default is what our reference states, or, where it states none, what
its examples show. They belong to the world and are saved with it; `webhooks.Switches` are how deliveries fail.
"""

from dataclasses import dataclass

from pamosnik.sandbox import rules
from pamosnik.sandbox.switches import switch


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One world's switches."""

    # limits
    limits: bool = switch(True, "§8", "calls over a documented limit are refused")
    text_per_second: int = switch(
        rules.TEXT_PER_SECOND, "§8", "Send API calls a second per account; other pages say 300", at_least=1
    )
    daily_users: int = switch(
        1000, "§8", "200 times this many calls an hour with an app token, then code 4", at_least=0
    )
    quota_code: str = switch(
        "80002", "§8", "code of a call over 4800 × impressions", choices=("80002", "4", "613")
    )
    fetch_files: bool = switch(
        False, "§4.2", "media on this machine's own addresses is fetched: status, type and size are checked"
    )

    # answers
    me_in_data: bool = switch(False, "§2.3", '/me answers {"data": [{…}]} instead of the flat object')
    flat_code_exchange: bool = switch(
        False, "§2.2", "the code exchange answers flat, with a number and an array, as seen in the field"
    )
    seen_account_type: bool = switch(
        True, "§2.3", "account_type in capitals (BUSINESS); off: as documented (Business, Media_Creator)"
    )
    profile_result_success: bool = switch(
        False, "§4.6", 'messenger_profile answers {"result": "success"} instead of {"success": true}'
    )
    sender_action_names_recipient: bool = switch(
        True, "§4.2", 'a sender action answers {"recipient_id"} (unconfirmed); off: {"success": true}'
    )
    localised: bool = switch(False, "§9.1", "messages of errors are in Portuguese")

    # endpoints whose existence is not certain
    me_subscribed_apps: bool = switch(
        True, "§2.4", "/me/subscribed_apps works like the id form; off: POST is refused with code 100"
    )
    delete_subscribed_apps: bool = switch(True, "§2.4", "DELETE subscribed_apps exists (unconfirmed for IL)")
    app_subscriptions: bool = switch(
        True, "§2.5", "/{app}/subscriptions manages this product's webhooks (unconfirmed)"
    )
    message_attachments: bool = switch(True, "§4.4", "message_attachments exists (unconfirmed for IL)")
    live_media: bool = switch(True, "§5", "live_media exists (unconfirmed for IL)")
    field_expansion: bool = switch(True, "§7", "messages.limit(20){…} is understood (unconfirmed)")

    # what opens the window, what is consent
    taps_open_window: bool = switch(
        True, "§8", "ice breakers and template buttons open the window (unconfirmed, works in practice)"
    )
    reaction_opens_window: bool = switch(False, "§12.3", "a reaction opens the window (unconfirmed)")
    referral_opens_window: bool = switch(False, "§12.3", "opening an ig.me link does (unconfirmed)")
    postback_is_consent: bool = switch(
        True, "§6", "a template button makes the profile readable (unconfirmed)"
    )
    blocked_profile_code: str = switch(
        "230", "§12.7", "code for the profile of a person who blocked the account", choices=("230", "100")
    )
    private_reply_to_replies: bool = switch(
        True, "§4.5", "replies to comments can be answered privately (unconfirmed)"
    )
    button_limits: bool = switch(
        True, "§4.3", "Messenger's figures hold: button title 20, payload 1000 characters (unconfirmed)"
    )
    retired_comment_rules: bool = switch(
        False, "§5", "public replies: 300 characters, 4 hashtags, 1 URL, not all capitals (unconfirmed)"
    )
    link_ref_rules: bool = switch(True, "§4.7", "ref of a link: [A-Za-z0-9_=-], 250 characters (unconfirmed)")
    link_needs_ice_breakers: bool = switch(
        False, "§4.7", "links work only while ice breakers are set, as their requirements say"
    )

    # what webhooks carry
    referral_in_first: bool = switch(
        True, "§4.7", "a link opened by a stranger is told in their first message or postback (unconfirmed)"
    )
    ice_breaker_mid: bool = switch(True, "§3.8", "postbacks of ice breakers carry a mid")
    boosted_double: bool = switch(True, "§3.9", "comments on a boosted post are told twice: post and ad")
    shared_as: str = switch(
        "ig_post",
        "§3.8",
        "how a shared post arrives; both = the two together",
        choices=("ig_post", "share", "both"),
    )
    reel_keys: bool = switch(
        True, "§3.8", "shared reels carry reel_video_id and title (unconfirmed); off: url alone"
    )
    other_reaction: bool = switch(
        True, "§3.8", 'any emoji but a heart is "other" (unconfirmed); off: the emoji'
    )
    echo_metadata: bool = switch(False, "§3.8", "echoes carry app_id and metadata (unconfirmed for IL)")
    comment_id_key: str = switch(
        "id", "§3.9", "the key of a comment's id in webhooks", choices=("id", "comment_id")
    )
