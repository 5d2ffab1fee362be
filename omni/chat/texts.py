"""What the widget says: the same sentences for every site, in the reader's language. {braces} are filled in by the browser."""

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Numbers that choose each plural form of CLDR which Russian or English has.
_FORMS = {"one": 1, "few": 2, "many": 5, "other": 5}


def launcher() -> dict[str, str]:
    """The host page's button."""
    return {"open": _("Open the chat"), "close": _("Close the chat"), "title": _("Chat with support")}


def launcher_in(languages: list[str]) -> dict[str, dict[str, str]]:
    """The button's texts in every language: the host page chooses."""
    found = {}
    for code in languages:
        with translation.override(code):
            found[code] = launcher()
    return found


def frame() -> dict[str, str]:
    """The chat's own sentences."""
    return {
        "you": _("You"),
        "machine": _("Automatic message"),
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "sending": _("Sending"),
        "waits": _("Will be sent when the connection is back"),
        "sent": _("Sent"),
        "read": _("Read"),
        "failed": _("Not sent"),
        "retry": _("Send again"),
        "edit": _("Edit"),
        "deleted": _("The message was deleted"),
        "typing": _("{name} is typing"),
        "typing_someone": _("The operator is typing"),
        "queue": _("You are number {place} in the queue. You can close this window: the answer will be kept here."),
        "with_operator": _("{name} is answering you"),
        "with_experts": _("Our specialists are looking into it"),
        "closed_now": _("We are closed now. Write all the same: we will answer after {time}."),
        "closed_unknown": _("We are closed now. Write all the same: we will answer when we open."),
        "status_closed": _("We will answer after {time}"),
        "status_open": _("A person answers here"),
        "offline": _("No connection. Your text is kept and will be sent later."),
        "file_uploading": _("{name}: uploading"),
        "file_failed": _("{name}: not uploaded. {reason}"),
        "file_remove": _("Remove the file {name}"),
        "file_open": _("Open the picture {name}"),
        "file_save": _("Download {name}"),
        "files_too_many": _("At most {count} files at a time."),
        "file_too_large": _("The file is too large: at most {size} MB."),
        "too_long": _("{count} characters too many"),
        "identity_refused": _("The site could not sign you in to the chat. You can write without it."),
        "sign_in_first": _("Please sign in on the site to write to us."),
        "required": _("Please fill this in."),
        "trouble": _("Something went wrong. We are trying again."),
        "bytes": _("{size} KB"),
        "megabytes": _("{size} MB"),
    }


def unread() -> dict[str, str]:
    """The launcher's name with unread messages, by the plural form of Intl.PluralRules."""
    forms = {}
    for name, number in _FORMS.items():
        text = ngettext("Open the chat: %(count)s unread message", "Open the chat: %(count)s unread messages", number)
        forms[name] = text % {"count": "{count}"}
    return forms


def promise(minutes: int | None) -> str:
    """How soon somebody answers; empty when the queue promises nothing."""
    if not minutes:
        return ""
    return ngettext("We usually answer within %(count)s minute", "We usually answer within %(count)s minutes", minutes) % {"count": minutes}
