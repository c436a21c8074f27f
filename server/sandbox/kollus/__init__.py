"""Stand-in for Kollus: gateway, player page, play and LMS callbacks. Knows nothing of the site it serves."""
