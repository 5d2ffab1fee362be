"""Asterisk: its events by ARI (a websocket) or AMI (a TCP connection), listened to by `manage.py listen_asterisk`."""
