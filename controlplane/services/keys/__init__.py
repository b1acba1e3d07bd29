"""The key that states and plans are sealed under: a new one, and everything sealed anew."""

from __future__ import annotations

from typing import Any

from controlplane.ports import Keyring
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.store import audit
from controlplane.store.sealed import check_keys, key_ids_in_use, reseal


def require(control: Control) -> None:
    """Raise where a stored record needs a key that is missing: nothing starts then."""
    if control.keyring is not None:
        check_keys(control.db, control.keyring())


def rotate(control: Control, actor: Actor, keyring: Keyring, ask: Ask) -> dict[str, Any]:
    """Safe to stop at any moment and to repeat. Older keys stay: a run that goes on seals under the one it
    began with, and a backup opens with those of its day. Which of them records still need is said."""
    actor.require(Action.ADMINISTER)
    current = keyring.rotate()
    count = reseal(control.db, keyring)
    older = list(keyring.key_ids())[1:]
    with control.db.write() as session:
        answer = {
            "id": current,
            "resealed": count,
            "older": older,
            "still_needed": sorted(key_ids_in_use(session) & set(older)),
        }
        audit.append(
            session,
            at=control.now(),
            actor=actor.name,
            action="key.rotated",
            subject=f"key/{current}",
            reason=ask.reason,
            request_id=ask.request_id,
            origin=actor.origin,
            after={"resealed": count},
        )
    return answer
