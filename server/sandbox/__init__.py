"""Stand-ins of the third parties: separate processes that speak the real protocols over HTTP."""
