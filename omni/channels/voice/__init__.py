"""Any exchange that posts our own form of call events: a Voximplant scenario, Infinity, Naumen, a script of one's own."""
