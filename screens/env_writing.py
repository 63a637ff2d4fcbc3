"""Asking for what the vendor's bot gateway must be told, and writing its `.env`."""

from __future__ import annotations

from screens.dialogs import TextDialog, answer_of
from screens.secret_dialog import SecretDialog
from tui.contract import YunliaoApi
from tui.integrations.env_file import BotEnv, Bridge
from tui.words import _


async def write_env(app: YunliaoApi, bridge: Bridge) -> None:
    """Ask, write, say where. Esc at any question ends it, and nothing is written."""
    lines = [_("Client ID or App ID, from the app's page.")]
    app_id = await answer_of(app, TextDialog(_("Id of the app"), "", lines, verb=_("go on")))
    if app_id is None:
        return
    app_secret = await answer_of(app, SecretDialog(_("Secret of the app"), [_("It goes into the file only.")]))
    if app_secret is None:
        return
    lines = [_("Of the RAM user that the gateway signs with. Leave it empty to fill it in by hand.")]
    title = _("AccessKey id")
    key_id = await answer_of(app, TextDialog(title, "", lines, verb=_("go on"), allow_empty=True))
    if key_id is None:
        return
    lines = [_("Leave it empty to fill it in by hand.")]
    key_secret = await answer_of(app, SecretDialog(_("AccessKey secret"), lines))
    if key_secret is None:
        return
    lines = [_("A new file; one that is there is never overwritten.")]
    path = str(app.downloads / f"{bridge}.env")
    chosen = await answer_of(app, TextDialog(_("Write to"), path, lines, verb=_("write")))
    if chosen is None:
        return
    international = bridge == "feishu" and app.integrations.value("lark", "domain") == "lark"
    env = BotEnv(bridge, app_id, app_secret, key_id, key_secret, international)
    try:
        await app.integrations.write_env(env, chosen)
    except FileExistsError:
        app.notify(_("There is a file of this name; nothing was written."), severity="error")
    except ValueError:
        app.notify(_("A quote or a line break cannot stand in a .env file; nothing was written."), severity="error")
    except OSError as error:
        app.notify(_("Not saved: {reason}").format(reason=error.strerror), severity="error", markup=False)
    else:
        app.notify(_("Written to {path}").format(path=chosen), timeout=10, markup=False)
