"""The bodies of the notices to be set up in UIS: one notice for each of its events, each with its own `type`.

UIS puts values where `{{name}}` stands ("Notices of events", the list of variables).
"""

import json

TYPES = {
    "inbound": "Входящий звонок",
    "ringing": "Ожидание ответа",
    "answered": "Начало разговора",
    "talk_ended": "Окончание разговора",
    "ended": "Завершение звонка",
    "missed": "Потерянный звонок",
    "recording": "Записанный разговор",
    "outbound": "Исходящий звонок",
}
"""Our type -> UIS's event."""
VARIABLES = {
    "call": "call_session_id",
    "leg": "leg_id",
    "time": "notification_time",
    "direction": "direction",
    "guest": "contact_phone_number",
    "guest_name": "contact_full_name",
    "line": "virtual_phone_number",
    "employee": "employee_id",
    "employee_name": "employee_full_name",
    "scenario": "scenario_name",
    "wait": "wait_time_duration",
    "talk": "talk_time_duration",
    "recording": "file_link",
}


def body_of(kind: str) -> str:
    """The JSON template of the notice of this type."""
    return json.dumps({"type": kind, **{name: f"{{{{{variable}}}}}" for name, variable in VARIABLES.items()}}, ensure_ascii=False)
