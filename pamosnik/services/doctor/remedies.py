"""What to click in Meta's dashboard and in the Instagram app, in the words that stand there in October 2026.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started ,
https://developers.facebook.com/docs/development/create-an-app/instagram-use-case ; menus of the Instagram app vary
with its version.
"""

SETUP = (
    "App Dashboard → use case “Manage messaging and content on Instagram” → API setup with Instagram login"
)
"""The page where most of it stands."""

CONNECT = "pamosnik connect --token-stdin"

NEW_TOKEN = f"{SETUP} → 2. Generate access tokens → Generate token beside the account. Then: {CONNECT}"

PERMISSIONS = (
    f"{SETUP} → 1. Add all required permissions; then 2. Generate access tokens → Generate token, and leave every"
    f" permission ticked. Then: {CONNECT}"
)

TESTER = (
    "App Dashboard → App roles → Roles → Add people → Instagram Tester, with the account's username. Then,"
    " logged in as"
    " that account on instagram.com (a desktop browser): Settings → Apps and websites → Tester invites → Accept."
)

MESSAGE_ACCESS = (
    "In the Instagram app, as the business: Settings → Messages and story replies → Message controls → Connected"
    " tools"
    " → switch on “Allow access to messages”."
)

PROFESSIONAL = (
    "In the Instagram app: Settings → Account type and tools → Switch to professional account (Business or Creator)."
    f" Then make a new token: {NEW_TOKEN}"
)

PUBLISH = (
    "App Dashboard → Publish: give privacy policy (/privacy of your address), data deletion (/data-deletion),"
    " category,"
    " icon and contact e-mail, then switch the app to Live."
)

ADVANCED = (
    "Meta may require Advanced Access: App Dashboard → App Review → Permissions and features → Request Advanced"
    " Access"
    " for instagram_business_manage_messages and instagram_business_manage_comments (Business Verification is asked"
    " for, too)."
)

APP_IDS = (
    f"Instagram app ID and secret: {SETUP}, at the top. App ID and app secret of Meta: App Dashboard → App settings →"
    " Basic. They are two different pairs."
)

APPS_AND_WEBSITES = "instagram.com → Settings → Website permissions → Apps and websites"


def callback(address: str | None) -> str:
    """Where the dashboard asks for the callback URL."""
    url = f"{address or 'https://your address'}/webhooks/instagram"
    return (
        f"{SETUP} → 3. Configure webhooks: Callback URL {url}, the verify token of this installation"
        " → Verify and save."
    )


def fields(names: str) -> str:
    return f"{SETUP} → 3. Configure webhooks → Manage: subscribe {names}."
