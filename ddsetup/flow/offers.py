"""What somebody is asked once there is a plan, and what becomes of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Back, Prompt

if TYPE_CHECKING:
    from ddsetup.ask.prompter import Prompter
    from ddsetup.flow.verbs import Host


def agreed(host: Host, prompter: Prompter, setting: str, question: Prompt) -> bool:
    """What a person says, or said already, to the question whether they want `setting`.

    Raises `Back`, with the answer before taken back.
    """
    typed = host.dialogue.typed
    if setting not in typed:
        try:
            said = prompter.ask(question)
        except Back:
            host.dialogue.back()
            raise
        host.dialogue.answer(setting, {setting: bool(said)})
    return bool(typed[setting].get(setting))
