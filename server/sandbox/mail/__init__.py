"""Stand-in for the mail world: takes every message by SMTP, delivers none, and shows what came."""
